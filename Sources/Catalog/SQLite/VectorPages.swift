import Digests
import FoundationEssentials
import GRDB

/// The vectors as they lie in the file, page by page.
extension SQLiteVectorDatabase {
    /// Whose vectors a space has, in the order of the images' ids.
    package func keys(
        in space: StoredSpace,
        after id: Int64,
        count: Int
    ) throws(CatalogError) -> [VectorKey] {
        try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT image_id, file_unique_id FROM vectors
                    WHERE space_id = ? AND image_id > ? ORDER BY image_id LIMIT ?
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.id, id, count]).map {
                VectorKey(imageID: $0[0], uniqueID: $0[1])
            }
        }
    }

    /// The vectors of a space, in the order of their images' ids.
    package func page(in space: StoredSpace, after id: Int64, count: Int) throws(CatalogError) -> [StoredVector] {
        try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT image_id, file_unique_id, blob, blob_digest FROM vectors
                    WHERE space_id = ? AND image_id > ? ORDER BY image_id LIMIT ?
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.id, id, count]).map { row in
                let blob = row.bytes(at: 2) ?? []
                return StoredVector(
                    imageID: row[0],
                    fileUniqueID: row[1],
                    blob: blob,
                    isAsStored: SHA256Digest(of: blob).bytes == row.bytes(at: 3)
                )
            }
        }
    }

    /// Images whose vector is bit for bit that of another file whose picture looks otherwise, which no model gives.
    package func imagesWithTheVectorOfAnotherFile(in space: StoredSpace) throws(CatalogError) -> [Int64] {
        let looks = knowsPictures ? "coalesce(perceptual_hash, source_digest)" : "source_digest"
        return try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT image_id FROM vectors WHERE space_id = ?1 AND blob_digest IN (
                        SELECT blob_digest FROM vectors WHERE space_id = ?1
                        GROUP BY blob_digest HAVING count(DISTINCT \(looks)) > 1)
                    ORDER BY image_id
                    """,
                arguments: [space.id]
            )
        }
    }

    /// The SHA-256 of the file that an image's vector was made from.
    package func sourceDigest(of image: Int64, in space: StoredSpace) throws(CatalogError) -> [UInt8]? {
        try read { db in
            try Row.fetchOne(
                db,
                sql: "SELECT source_digest FROM vectors WHERE space_id = ? AND image_id = ?",
                arguments: [space.id, image]
            )?.bytes(at: 0)
        }
    }
}
