package import PostgreSQL

/// The bot's own program at a server of PostgreSQL, with the tables that SQLAlchemy makes there.
package final class PostgresBot: Sendable {
    /// Its database.
    package let address: String
    private let pool: PostgresPool

    /// The database's name.
    package var name: String { address.split(separator: "/").last.map(String.init) ?? "" }

    /// Makes the tables.
    init(address: String) throws {
        self.address = address
        pool = PostgresPool(try PostgresAddress(address), patience: .seconds(30))
        try pool.withConnection { try $0.run(Self.schema) }
    }

    private static let schema = """
        CREATE TABLE users (
            id SERIAL PRIMARY KEY, user_id BIGINT NOT NULL UNIQUE, username VARCHAR(255),
            consent_given BOOLEAN NOT NULL, banned BOOLEAN NOT NULL, created_at TIMESTAMP NOT NULL DEFAULT now());
        CREATE TABLE chats (
            id SERIAL PRIMARY KEY, chat_id BIGINT NOT NULL UNIQUE, user_id BIGINT NOT NULL,
            chat_type VARCHAR(20) NOT NULL, title VARCHAR(255), current_mode VARCHAR(50) NOT NULL,
            created_at TIMESTAMP NOT NULL DEFAULT now());
        CREATE TABLE images (
            id SERIAL PRIMARY KEY, chat_id INTEGER NOT NULL, file_id VARCHAR(255) NOT NULL,
            file_unique_id VARCHAR(255) NOT NULL UNIQUE, file_size INTEGER, original_path VARCHAR(500),
            compressed_path VARCHAR(500), width INTEGER, height INTEGER, format VARCHAR(10), analysis TEXT,
            mode_used VARCHAR(50), embedding BYTEA, embedding_model VARCHAR(100),
            processing_status VARCHAR(20) NOT NULL, created_at TIMESTAMP NOT NULL DEFAULT now());
        CREATE TABLE messages (id SERIAL PRIMARY KEY, body TEXT)
        """

    package func addUser(id: Int64, telegramID: Int64) throws {
        try execute(
            "INSERT INTO users (id, user_id, consent_given, banned) VALUES ($1, $2, TRUE, FALSE)",
            [.int64(id), .int64(telegramID)]
        )
    }

    package func addChat(id: Int64, telegramID: Int64, owner: Int64, type: String = "private") throws {
        try execute(
            "INSERT INTO chats (id, chat_id, user_id, chat_type, current_mode) VALUES ($1, $2, $3, $4, 'default')",
            [.int64(id), .int64(telegramID), .int64(owner), .text(type)]
        )
    }

    package func addImage(
        id: Int64,
        chat: Int64 = 1,
        original: String? = nil,
        compressed: String? = nil,
        uniqueID: String? = nil
    ) throws {
        try execute(
            """
            INSERT INTO images (id, chat_id, file_id, file_unique_id, original_path, compressed_path, processing_status)
            VALUES ($1, $2, $3, $4, $5, $6, 'completed')
            """,
            [
                .int64(id), .int64(chat), .text("file\(id)"), .text(uniqueID ?? "unique\(id)"), .text(original),
                .text(compressed),
            ]
        )
    }

    /// Runs a statement.
    @discardableResult
    package func execute(_ sql: String, _ parameters: [PostgresValue] = []) throws -> PostgresResult {
        try pool.withConnection { try $0.execute(sql, parameters) }
    }

    /// One number.
    package func number(_ sql: String, _ parameters: [PostgresValue] = []) throws -> Int64? {
        try execute(sql, parameters).rows.first?.int64(0)
    }

    /// Lends a connection of its own, for transactions that stay open.
    package func withConnection<Value>(_ body: (PostgresConnection) throws -> Value) throws -> Value {
        try pool.withConnection(body)
    }
}
