import PostgreSQL

/// The tables of ours at a server: a schema of their own, `semblance`, beside the bot's tables.
///
/// They are made by `semblance init`, as a user who may make them. A program that embeds needs no such right: the table of
/// a new space and its index are made by functions that act as their owner and take nothing but numbers and names.
package struct PostgresSchema: Sendable {
    private let server: PostgresServer

    package init(_ server: PostgresServer) { self.server = server }

    /// What was made.
    package struct Outcome: Sendable {
        /// Whether vectors are kept as pgvector's type.
        package let hasPGVector: Bool
        /// Why not.
        package let reason: String?
        /// What the role lacks on the bot's tables, as the statements that grant it.
        package let missingGrants: [String]
    }

    /// The version of what is made here.
    static let version: Int64 = 1

    /// Makes what is not there, and lets a role use it.
    ///
    /// - Parameter role: A role of the server's that embeds and searches; `nil` for the user that makes the tables.
    package func make(for role: String?) throws(CatalogError) -> Outcome {
        let reason = try addExtension()
        try server.transaction { connection in
            try connection.execute("SELECT pg_advisory_xact_lock(7310579, 0)")
            for statement in Self.tables + Self.functions { try connection.run(statement) }
            try connection.execute(
                "INSERT INTO semblance.versions (version) VALUES ($1) ON CONFLICT DO NOTHING",
                [.int64(Self.version)]
            )
        }
        guard let role else { return Outcome(hasPGVector: reason == nil, reason: reason, missingGrants: []) }
        return Outcome(hasPGVector: reason == nil, reason: reason, missingGrants: try grant(to: role))
    }

    /// Adds pgvector to the database, where the server has it and the user may.
    ///
    /// - Returns: Why it is not there; `nil` where it is.
    private func addExtension() throws(CatalogError) -> String? {
        do throws(CatalogError) {
            try server.run { try $0.run("CREATE EXTENSION IF NOT EXISTS vector") }
        } catch  where error.code == .unavailable {
            throw error
        } catch {
            let row = try server.execute("SELECT count(*) FROM pg_extension WHERE extname = 'vector'").rows.first
            return row?.int64(0) == 1 ? nil : error.description
        }
        return nil
    }

    /// Names are quoted by the server itself.
    private func grant(to role: String) throws(CatalogError) -> [String] {
        try server.transaction { connection in
            let found = try connection.execute(
                "SELECT quote_ident(rolname), rolname FROM pg_roles WHERE rolname = $1",
                [.text(role)]
            )
            guard let name = found.rows.first?.text(0) else {
                throw CatalogError(.missing, "The server has no role \(role); make it with CREATE ROLE first")
            }
            let changes = "SELECT, INSERT, UPDATE, DELETE"
            try connection.run(
                """
                GRANT USAGE ON SCHEMA semblance TO \(name);
                GRANT \(changes) ON ALL TABLES IN SCHEMA semblance TO \(name);
                GRANT USAGE ON ALL SEQUENCES IN SCHEMA semblance TO \(name);
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA semblance TO \(name);
                ALTER DEFAULT PRIVILEGES IN SCHEMA semblance GRANT \(changes) ON TABLES TO \(name);
                """
            )
            let rows = try connection.execute(Self.missingGrants, [.text(role)]).rows
            return rows.map { "GRANT \($0.text(0) ?? "") TO \(name)" }
        }
    }

    /// What a role needs of the bot's tables and has not.
    private static let missingGrants = """
        SELECT w.privilege || ' ON ' || t.name FROM unnest(ARRAY['users', 'chats', 'images']) AS t(name)
        CROSS JOIN LATERAL (
            SELECT 'SELECT' AS privilege WHERE NOT has_table_privilege($1, to_regclass(t.name), 'SELECT')
            UNION ALL
            SELECT 'UPDATE (embedding, embedding_model)' WHERE t.name = 'images'
                AND NOT (has_column_privilege($1, to_regclass(t.name), 'embedding', 'UPDATE')
                    AND has_column_privilege($1, to_regclass(t.name), 'embedding_model', 'UPDATE'))
        ) w WHERE to_regclass(t.name) IS NOT NULL
        """

    private static let tables = [
        "CREATE SCHEMA IF NOT EXISTS semblance",
        "CREATE TABLE IF NOT EXISTS semblance.versions (version bigint PRIMARY KEY, made_at timestamptz DEFAULT now())",
        "CREATE SEQUENCE IF NOT EXISTS semblance.vector_ids",
        """
        CREATE TABLE IF NOT EXISTS semblance.spaces (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            model text NOT NULL,
            weights_digest text NOT NULL,
            preprocessing_version bigint NOT NULL,
            dimension bigint NOT NULL CHECK (dimension > 0),
            activation bigint NOT NULL DEFAULT 0,
            is_vector boolean NOT NULL,
            planner bigint,
            planned_until timestamptz,
            UNIQUE (model, weights_digest, preprocessing_version, dimension)
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS semblance.runs (
            id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
            space_id bigint NOT NULL REFERENCES semblance.spaces,
            name text NOT NULL,
            started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            ended_at timestamptz,
            batches bigint NOT NULL DEFAULT 0,
            embedded bigint NOT NULL DEFAULT 0,
            failed bigint NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS semblance.failures (
            space_id bigint NOT NULL REFERENCES semblance.spaces,
            image_id bigint NOT NULL,
            file_unique_id text NOT NULL,
            class text NOT NULL,
            fingerprint text,
            attempts bigint NOT NULL CHECK (attempts > 0),
            next_attempt double precision,
            message text NOT NULL,
            PRIMARY KEY (space_id, image_id)
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS semblance.known_answers (
            space_id bigint NOT NULL REFERENCES semblance.spaces,
            picture bigint NOT NULL,
            blob bytea NOT NULL,
            PRIMARY KEY (space_id, picture)
        )
        """,
        // What stood in the bot's rows before a vector of ours took its place.
        """
        CREATE TABLE IF NOT EXISTS semblance.replaced (
            image_id bigint NOT NULL,
            file_unique_id text NOT NULL,
            embedding bytea NOT NULL,
            embedding_model text,
            replaced_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS semblance.claims (
            token bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            space_id bigint NOT NULL REFERENCES semblance.spaces,
            run_id bigint NOT NULL REFERENCES semblance.runs,
            leased_until timestamptz NOT NULL
        )
        """,
        // Rows come and go all the time, so that dead ones are cleaned up early.
        """
        CREATE TABLE IF NOT EXISTS semblance.work (
            space_id bigint NOT NULL REFERENCES semblance.spaces,
            image_id bigint NOT NULL,
            attempts bigint NOT NULL DEFAULT 0,
            token bigint,
            PRIMARY KEY (space_id, image_id)
        ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)
        """,
        "CREATE INDEX IF NOT EXISTS work_free ON semblance.work (space_id, image_id) WHERE token IS NULL",
        "CREATE INDEX IF NOT EXISTS work_claimed ON semblance.work (token) WHERE token IS NOT NULL",
        """
        CREATE TABLE IF NOT EXISTS semblance.control (
            single boolean PRIMARY KEY DEFAULT TRUE CHECK (single),
            paused boolean NOT NULL DEFAULT FALSE
        )
        """,
        "INSERT INTO semblance.control DEFAULT VALUES ON CONFLICT DO NOTHING",
    ]
}
