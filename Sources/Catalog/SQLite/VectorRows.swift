import GRDB

/// What is moved to another store.
extension SQLiteVectorDatabase {
    /// The vectors of a space with all that is known of them, in the order of their images' ids.
    func rows(in space: StoredSpace, after id: Int64, count: Int) throws(CatalogError) -> [VectorRow] {
        let details = knowsPictures ? "source_size, perceptual_hash" : "NULL, NULL"
        return try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT image_id, file_unique_id, owner, published, blob, blob_digest, source_digest, source_fingerprint,
                        \(details) FROM vectors WHERE space_id = ? AND image_id > ? ORDER BY image_id LIMIT ?
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.id, id, count]).map { row in
                VectorRow(
                    imageID: row[0],
                    fileUniqueID: row[1],
                    owner: row[2] ?? 0,
                    isPublished: row[3],
                    blob: row.bytes(at: 4) ?? [],
                    blobDigest: row.bytes(at: 5) ?? [],
                    sourceDigest: row.bytes(at: 6) ?? [],
                    sourceFingerprint: row[7],
                    sourceSize: row[8],
                    perceptualHash: row[9]
                )
            }
        }
    }

    /// The failures recorded in a space.
    func failures(in space: StoredSpace) throws(CatalogError) -> [FailureRecord] {
        try read { db in
            let sql = """
                SELECT image_id, file_unique_id, class, fingerprint, attempts, next_attempt, message FROM failures
                WHERE space_id = ? ORDER BY image_id
                """
            return try Row.fetchAll(db, sql: sql, arguments: [space.id]).compactMap(Self.failure)
        }
    }

    /// The runs that filled a space: when they began and ended, and what they did.
    func runs(in space: StoredSpace) throws(CatalogError) -> [(id: Int64, start: String, end: String?, Int64, Int64)] {
        try read { db in
            let sql = "SELECT id, started_at, ended_at, embedded, failed FROM runs WHERE space_id = ? ORDER BY id"
            return try Row.fetchAll(db, sql: sql, arguments: [space.id]).map { ($0[0], $0[1], $0[2], $0[3], $0[4]) }
        }
    }
}
