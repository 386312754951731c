import PostgreSQL
package import Vectors

/// The embedding spaces at a server: a row each, and a table of vectors.
extension PostgresVectorDatabase {
    package func spaces() throws(CatalogError) -> [StoredSpace] {
        let rows = try server.execute(
            """
            SELECT id, model, weights_digest, preprocessing_version, dimension, activation FROM semblance.spaces
            ORDER BY activation DESC, id
            """
        ).rows
        return rows.map { row in
            let space = EmbeddingSpace(
                model: row.text(1) ?? "",
                weightsDigest: row.text(2) ?? "",
                preprocessingVersion: Int(row.int64(3) ?? 0),
                dimension: Int(row.int64(4) ?? 0)
            )
            return StoredSpace(id: row.int64(0) ?? 0, space: space, activation: row.int64(5) ?? 0)
        }
    }

    package func add(_ space: EmbeddingSpace) throws(CatalogError) {
        try server.transaction { connection in
            _ = try connection.execute(
                "SELECT semblance.add_space($1, $2, $3, $4)",
                [
                    .text(space.model), .text(space.weightsDigest), .int64(Int64(space.preprocessingVersion)),
                    .int64(Int64(space.dimension)),
                ]
            )
        }
    }

    package func activate(_ space: StoredSpace) throws(CatalogError) {
        try server.transaction { connection in
            try connection.execute("SELECT pg_advisory_xact_lock(7310579, 2)")
            _ = try connection.execute(
                """
                UPDATE semblance.spaces SET activation = (SELECT max(activation) + 1 FROM semblance.spaces)
                WHERE id = $1 AND (activation = 0 OR activation < (SELECT max(activation) FROM semblance.spaces))
                """,
                [.int64(space.id)]
            )
        }
    }

    package func purge(_ space: StoredSpace, progress: (_ removed: Int) -> Void) throws(CatalogError) -> Int {
        try requireInactive(space)
        try server.execute("UPDATE semblance.spaces SET activation = 0 WHERE id = $1", [.int64(space.id)])
        try server.execute("SELECT semblance.drop_index($1)", [.int64(space.id)])
        var removed = 0
        while true {
            let count = try server.execute(
                "DELETE FROM \(table(space)) WHERE image_id IN (SELECT image_id FROM \(table(space)) LIMIT 2000)"
            ).changes
            guard count > 0 else { break }
            removed += count
            progress(removed)
        }
        try server.transaction { connection in
            try connection.execute("DELETE FROM semblance.failures WHERE space_id = $1", [.int64(space.id)])
            _ = try connection.execute("DELETE FROM semblance.work WHERE space_id = $1", [.int64(space.id)])
        }
        return removed
    }

    package func keepKnownAnswers(_ answers: [Embedding], of space: StoredSpace) throws(CatalogError) {
        try server.execute(
            """
            INSERT INTO semblance.known_answers (space_id, picture, blob)
            SELECT $1, a.picture, a.blob FROM unnest($2::bigint[], $3::bytea[]) AS a(picture, blob) ON CONFLICT DO NOTHING
            """,
            [
                .int64(space.id), .int64s(answers.indices.map { Int64($0) }),
                .bytes(answers.map { EmbeddingBlob($0).bytes }),
            ]
        )
    }

    package func knownAnswers(of space: StoredSpace) throws(CatalogError) -> [Embedding]? {
        let rows = try server.execute(
            "SELECT blob FROM semblance.known_answers WHERE space_id = $1 ORDER BY picture",
            [.int64(space.id)]
        ).rows
        let answers = rows.compactMap { row -> Embedding? in
            guard case .embedding(let answer) = EmbeddingBlob.read(row.bytes(0) ?? []) else { return nil }
            return answer
        }
        return answers.isEmpty || answers.count < rows.count ? nil : answers
    }
}
