import PostgreSQL
import Synchronization
import Vectors

/// Our own database as a schema of a server of PostgreSQL.
package final class PostgresVectorDatabase: VectorDatabase {
    let server: PostgresServer
    package var name: String { server.name }
    package let indexExtension: IndexExtension
    /// `nil` where the extension is not there.
    let pgvector: PGVector?
    private let kinds = Mutex<[Int64: Bool]>([:])

    /// Looks what there is.
    ///
    /// - Throws: `.schema` where `semblance init` has not been run, or a newer one was.
    package convenience init(_ server: PostgresServer) throws(CatalogError) {
        guard try Self.hasSchema(server) else {
            throw CatalogError(.schema, "There are no tables of Semblance in \(server.name) yet; run semblance init")
        }
        try self.init(initialised: server)
    }

    private init(initialised server: PostgresServer) throws(CatalogError) {
        self.server = server
        let newest = try server.execute("SELECT max(version) FROM semblance.versions").rows.first?.int64(0) ?? 0
        guard newest == PostgresSchema.version else {
            throw CatalogError(
                .schema,
                newest > PostgresSchema.version
                    ? "The tables of Semblance in \(server.name) were made by a newer version; use that one"
                    : "The tables of Semblance in \(server.name) are of an older version; run semblance init"
            )
        }
        let found = try server.execute(
            """
            SELECT e.extversion, t.oid::bigint, quote_ident(n.nspname) FROM pg_extension e
            JOIN pg_type t ON t.typname = 'vector' AND t.typnamespace = e.extnamespace
            JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'
            """
        ).rows.first
        pgvector = found.map { row in
            PGVector(schema: row.text(2) ?? "", type: UInt32(row.int64(1) ?? 0), version: row.text(0) ?? "")
        }
        indexExtension =
            pgvector.map { .loaded(version: $0.version) }
            ?? .unavailable(reason: "pgvector is not in the database; run semblance init where the server has it")
    }

    /// Opens it for reading, if it was made.
    package static func existing(_ server: PostgresServer) throws(CatalogError) -> PostgresVectorDatabase? {
        try hasSchema(server) ? PostgresVectorDatabase(initialised: server) : nil
    }

    private static func hasSchema(_ server: PostgresServer) throws(CatalogError) -> Bool {
        try server.execute("SELECT to_regclass('semblance.versions') IS NOT NULL").rows.first?.bool(0) ?? false
    }

    /// The table of a space's vectors.
    func table(_ space: StoredSpace) -> String { "semblance.vectors_\(space.id)" }

    /// Whether a space's embeddings are pgvector's `vector`, and not bytes; it stays what it was when the space was added.
    func isVector(_ space: StoredSpace) throws(CatalogError) -> Bool {
        if let known = kinds.withLock({ $0[space.id] }) { return known }
        let rows = try server.execute("SELECT is_vector FROM semblance.spaces WHERE id = $1", [.int64(space.id)]).rows
        guard let kind = rows.first?.bool(0) else { return false }
        kinds.withLock { $0[space.id] = kind }
        return kind
    }

    /// The embedding in a column, as a blob.
    static func blob(_ row: PostgresResult.Row, _ column: Int, isVector: Bool) -> [UInt8] {
        guard isVector else { return row.bytes(column) ?? [] }
        let components = row.vector(column) ?? []
        return withUnsafeBytes(of: UInt32(components.count / 4).littleEndian) { Array($0) } + components
    }

    /// One number that a statement gives.
    private func number(_ sql: String, _ parameters: [PostgresValue] = []) throws(CatalogError) -> Int {
        Int(try server.execute(sql, parameters).rows.first?.int64(0) ?? 0)
    }

    package func vectorCount(in space: StoredSpace) throws(CatalogError) -> Int {
        try number("SELECT count(*) FROM \(table(space))")
    }

    package func dataVersion() throws(CatalogError) -> Int {
        try number(
            """
            SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_all_tables
            WHERE schemaname = 'semblance'
            """
        )
    }

    package func records(
        in space: StoredSpace?,
        imageIDs: ClosedRange<Int64>,
        only: [Int64]?
    ) throws(CatalogError) -> KnownImages {
        var known = KnownImages()
        let chosen = "image_id BETWEEN $1 AND $2 AND ($3::bigint[] IS NULL OR image_id = ANY ($3))"
        let range: [PostgresValue] = [.int64(imageIDs.lowerBound), .int64(imageIDs.upperBound), .int64s(only)]
        for stored in try spaces() {
            let rows = try server.execute(
                """
                SELECT id, image_id, file_unique_id, blob_digest, published, source_digest, perceptual_hash IS NOT NULL
                FROM \(table(stored)) WHERE \(chosen)
                """,
                range
            ).rows
            for row in rows {
                let record = Self.record(row)
                if stored == space {
                    known.vectors[record.imageID] = record
                } else {
                    known.elsewhere[record.imageID, default: []].append(record)
                }
            }
        }
        guard let space else { return known }
        let failures = try server.execute(
            """
            SELECT image_id, file_unique_id, class, fingerprint, attempts, next_attempt, message FROM semblance.failures
            WHERE space_id = $4 AND \(chosen)
            """,
            range + [.int64(space.id)]
        ).rows
        for row in failures { known.failures[row.int64(0) ?? 0] = Self.failure(row) }
        return known
    }

    private static func record(_ row: PostgresResult.Row) -> VectorRecord {
        VectorRecord(
            id: row.int64(0) ?? 0,
            imageID: row.int64(1) ?? 0,
            fileUniqueID: row.text(2) ?? "",
            blobDigest: row.bytes(3) ?? [],
            isPublished: row.bool(4),
            sourceDigest: row.bytes(5) ?? [],
            isDescribed: row.bool(6)
        )
    }

    private static func failure(_ row: PostgresResult.Row) -> FailureRecord? {
        FailureRecord.Class(rawValue: row.text(2) ?? "").map { kind in
            FailureRecord(
                imageID: row.int64(0) ?? 0,
                fileUniqueID: row.text(1) ?? "",
                kind: kind,
                fingerprint: row.text(3),
                attempts: Int(row.int64(4) ?? 1),
                nextAttempt: row.double(5),
                message: row.text(6) ?? ""
            )
        }
    }

    package func forgetFailures(of kinds: [FailureRecord.Class], model: String) throws(CatalogError) -> Int {
        try server.execute(
            """
            DELETE FROM semblance.failures
            WHERE class = ANY ($1) AND space_id IN (SELECT id FROM semblance.spaces WHERE model = $2)
            """,
            [.texts(kinds.map(\.rawValue)), .text(model)]
        ).changes
    }
}
