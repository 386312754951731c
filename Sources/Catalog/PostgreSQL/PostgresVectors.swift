import Digests
import PostgreSQL
package import Vectors

/// The vectors at a server, as they are read.
extension PostgresVectorDatabase {
    package func keys(in space: StoredSpace, after id: Int64, count: Int) throws(CatalogError) -> [VectorKey] {
        try server.execute(
            "SELECT image_id, file_unique_id FROM \(table(space)) WHERE image_id > $1 ORDER BY image_id LIMIT $2",
            [.int64(id), .int64(Int64(count))]
        ).rows.map { VectorKey(imageID: $0.int64(0) ?? 0, uniqueID: $0.text(1) ?? "") }
    }

    package func page(in space: StoredSpace, after id: Int64, count: Int) throws(CatalogError) -> [StoredVector] {
        let isVector = try isVector(space)
        return try server.execute(
            """
            SELECT image_id, file_unique_id, embedding, blob_digest FROM \(table(space))
            WHERE image_id > $1 ORDER BY image_id LIMIT $2
            """,
            [.int64(id), .int64(Int64(count))]
        ).rows.map { row in
            let blob = Self.blob(row, 2, isVector: isVector)
            return StoredVector(
                imageID: row.int64(0) ?? 0,
                fileUniqueID: row.text(1) ?? "",
                blob: blob,
                isAsStored: SHA256Digest(of: blob).bytes == row.bytes(3)
            )
        }
    }

    package func matrix(of space: StoredSpace, images: [Int64]?) throws(CatalogError) -> VectorMatrix {
        let isVector = try isVector(space)
        var pages: [PostgresResult] = []
        var last: Int64 = .min
        while true {
            let page = try server.execute(
                """
                SELECT image_id, embedding FROM \(table(space))
                WHERE image_id > $1 \(images == nil ? "" : "AND image_id = ANY ($3)") ORDER BY image_id LIMIT $2
                """,
                [.int64(last), .int64(20_000)] + (images.map { [.int64s($0)] } ?? [])
            )
            guard page.count > 0, let id = page.rows.last?.int64(0) else { break }
            last = id
            pages.append(page)
        }
        return VectorMatrix(dimension: space.space.dimension, capacity: pages.reduce(0) { $0 + $1.count }) { add in
            while !pages.isEmpty {
                for row in pages.removeFirst().rows {
                    let blob = Self.blob(row, 1, isVector: isVector)
                    blob.withUnsafeBytes { bytes in
                        if bytes.count > 4 { add(row.int64(0) ?? 0, UnsafeRawBufferPointer(rebasing: bytes[4...])) }
                    }
                }
            }
        }
    }

    package func embeddings(of images: [Int64], in space: StoredSpace) throws(CatalogError) -> [(Int64, [UInt8])] {
        let isVector = try isVector(space)
        return try server.execute(
            "SELECT image_id, embedding FROM \(table(space)) WHERE image_id = ANY ($1)",
            [.int64s(images)]
        ).rows.map { ($0.int64(0) ?? 0, Self.blob($0, 1, isVector: isVector)) }
    }

    /// The mark stays behind what was written by transactions before which another is under way, which may come to store
    /// something with a lower number.
    package func vectors(
        of space: StoredSpace,
        after mark: StreamMark,
        count: Int
    ) throws(CatalogError) -> (page: [StreamedVector], mark: StreamMark) {
        let isVector = try isVector(space)
        let rows = try server.execute(
            """
            SELECT written::text::bigint, id, image_id, embedding, written < pg_snapshot_xmin(pg_current_snapshot())
            FROM \(table(space)) WHERE (written, id) > ($1::text::xid8, $2::bigint) ORDER BY written, id LIMIT $3
            """,
            [.text(String(mark.transaction)), .int64(mark.id), .int64(Int64(count))]
        ).rows
        let page = rows.map { row in
            StreamedVector(
                imageID: row.int64(2) ?? 0,
                components: Array(Self.blob(row, 3, isVector: isVector).dropFirst(4))
            )
        }
        let next = rows.last { $0.bool(4) }.map { StreamMark(transaction: $0.int64(0) ?? 0, id: $0.int64(1) ?? 0) }
        return (page, next ?? mark)
    }

    package func pictures(of images: [Int64], in space: StoredSpace) throws(CatalogError) -> [PictureRecord] {
        try server.execute(
            """
            SELECT image_id, source_digest, source_fingerprint, source_size, perceptual_hash FROM \(table(space))
            WHERE image_id = ANY ($1) ORDER BY image_id
            """,
            [.int64s(images)]
        ).rows.map { row in
            PictureRecord(
                imageID: row.int64(0) ?? 0,
                digest: row.bytes(1) ?? [],
                fingerprint: row.text(2) ?? "",
                byteCount: row.int64(3).map { Int($0) },
                hash: row.int64(4).map { UInt64(bitPattern: $0) }
            )
        }
    }

    package func sourceDigest(of image: Int64, in space: StoredSpace) throws(CatalogError) -> [UInt8]? {
        try server.execute("SELECT source_digest FROM \(table(space)) WHERE image_id = $1", [.int64(image)])
            .rows.first?.bytes(0)
    }

    package func imagesWithTheVectorOfAnotherFile(in space: StoredSpace) throws(CatalogError) -> [Int64] {
        try server.execute(
            """
            SELECT image_id FROM \(table(space)) WHERE blob_digest IN (
                SELECT blob_digest FROM \(table(space)) GROUP BY blob_digest
                HAVING count(DISTINCT coalesce(perceptual_hash::text, encode(source_digest, 'hex'))) > 1)
            ORDER BY image_id
            """
        ).rows.compactMap { $0.int64(0) }
    }

    package func remove(_ images: [Int64], from space: StoredSpace) throws(CatalogError) {
        for start in stride(from: 0, to: images.count, by: 500) {
            let some = Array(images[start..<min(start + 500, images.count)])
            try server.execute("DELETE FROM \(table(space)) WHERE image_id = ANY ($1)", [.int64s(some)])
        }
    }
}
