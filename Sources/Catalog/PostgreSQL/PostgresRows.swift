import PostgreSQL

/// Rows on their way into our tables at a server, many in one statement.
extension PostgresVectorDatabase {
    /// Adds vectors of images that have none yet.
    ///
    /// - Parameter run: The run that made them; `nil` where nobody knows.
    func insert(
        _ rows: [VectorRow],
        into space: StoredSpace,
        isVector: Bool,
        run: Int64?,
        _ connection: PostgresConnection
    ) throws {
        guard !rows.isEmpty else { return }
        let embeddings =
            isVector
            ? PostgresValue.vectors(littleEndian: rows.map { Array($0.blob.dropFirst(4)) }, type: pgvector?.type ?? 0)
            : PostgresValue.bytes(rows.map(\.blob))
        let type = isVector ? "\(pgvector?.schema ?? "public").vector" : "bytea"
        try connection.execute(
            """
            INSERT INTO \(table(space)) (image_id, file_unique_id, owner, published, blob_digest, source_digest,
                source_fingerprint, source_size, perceptual_hash, run_id, embedding)
            SELECT w.image_id, w.unique_id, w.owner, w.published = 1, w.blob_digest, w.source_digest, w.fingerprint,
                w.size, w.hash, $10, w.embedding
            FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[],
                $8::bigint[], $9::bigint[], $11::\(type)[])
                AS w(image_id, unique_id, owner, published, blob_digest, source_digest, fingerprint, size, hash, embedding)
            """,
            [
                .int64s(rows.map(\.imageID)), .texts(rows.map(\.fileUniqueID)), .int64s(rows.map(\.owner)),
                .int64s(rows.map { $0.isPublished ? 1 : 0 }), .bytes(rows.map(\.blobDigest)),
                .bytes(rows.map(\.sourceDigest)), .texts(rows.map(\.sourceFingerprint)),
                .int64s(rows.map(\.sourceSize)),
                .int64s(rows.map(\.perceptualHash)), .int64(run), embeddings,
            ]
        )
    }

    /// Records failures, in the place of what was recorded of the images before.
    func insert(_ failures: [FailureRecord], into space: StoredSpace, _ connection: PostgresConnection) throws {
        guard !failures.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO semblance.failures
                (space_id, image_id, file_unique_id, class, fingerprint, attempts, next_attempt, message)
            SELECT $1, w.* FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::float8[],
                $8::text[]) AS w
            ON CONFLICT (space_id, image_id) DO UPDATE SET file_unique_id = excluded.file_unique_id,
                class = excluded.class, fingerprint = excluded.fingerprint, attempts = excluded.attempts,
                next_attempt = excluded.next_attempt, message = excluded.message
            """,
            [
                .int64(space.id), .int64s(failures.map(\.imageID)), .texts(failures.map(\.fileUniqueID)),
                .texts(failures.map(\.kind.rawValue)), .texts(failures.map(\.fingerprint)),
                .int64s(failures.map { Int64($0.attempts) }), .doubles(failures.map(\.nextAttempt)),
                .texts(failures.map(\.message)),
            ]
        )
    }
}
