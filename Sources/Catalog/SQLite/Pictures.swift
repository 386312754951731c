import GRDB

extension SQLiteVectorDatabase {
    /// The pictures of some images that have a vector in a space, in the order of their ids.
    package func pictures(of images: [Int64], in space: StoredSpace) throws(CatalogError) -> [PictureRecord] {
        let details = knowsPictures ? "source_size, perceptual_hash" : "NULL, NULL"
        return try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT image_id, source_digest, source_fingerprint, \(details) FROM vectors
                    WHERE space_id = ? AND image_id IN (SELECT value FROM json_each(?)) ORDER BY image_id
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.id, jsonArray(images)]).map { row in
                PictureRecord(
                    imageID: row[0],
                    digest: row.bytes(at: 1) ?? [],
                    fingerprint: row[2],
                    byteCount: row[3],
                    hash: (row[4] as Int64?).map { UInt64(bitPattern: $0) }
                )
            }
        }
    }
}
