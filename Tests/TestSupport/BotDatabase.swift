package import Foundation
package import GRDB
package import SystemPackage

/// A database as the bot itself makes it, with its own tables beside those that Semblance reads.
package struct BotDatabase {
    package let path: FilePath
    package let queue: DatabaseQueue

    /// Makes the file.
    package init(_ path: FilePath, journalMode: String = "DELETE") throws {
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string,
            withIntermediateDirectories: true
        )
        self.path = path
        queue = try DatabaseQueue.patient(path)
        try queue.inDatabase { db in
            _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = \(journalMode)")
            try db.execute(sql: Self.schema)
        }
    }

    /// What SQLAlchemy emits for the bot's models, the tables that matter and two that do not.
    package static let schema = """
        CREATE TABLE users (
            id INTEGER NOT NULL, user_id INTEGER NOT NULL, username VARCHAR(255), first_name VARCHAR(255),
            last_name VARCHAR(255), language_code VARCHAR(10), consent_given BOOLEAN NOT NULL,
            consent_given_at DATETIME, banned BOOLEAN NOT NULL, user_group VARCHAR(100), admin_notes VARCHAR(1000),
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, updated_at DATETIME, PRIMARY KEY (id));
        CREATE UNIQUE INDEX ix_users_user_id ON users (user_id);
        CREATE TABLE chats (
            id INTEGER NOT NULL, chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL, chat_type VARCHAR(20) NOT NULL,
            title VARCHAR(255), current_mode VARCHAR(50) NOT NULL, current_preset VARCHAR(50),
            claude_mode BOOLEAN NOT NULL, show_model_buttons BOOLEAN NOT NULL, settings TEXT,
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, updated_at DATETIME, PRIMARY KEY (id),
            FOREIGN KEY(user_id) REFERENCES users (id));
        CREATE UNIQUE INDEX ix_chats_chat_id ON chats (chat_id);
        CREATE TABLE images (
            id INTEGER NOT NULL, chat_id INTEGER NOT NULL, file_id VARCHAR(255) NOT NULL,
            file_unique_id VARCHAR(255) NOT NULL, file_size INTEGER, original_path VARCHAR(500),
            compressed_path VARCHAR(500), width INTEGER, height INTEGER, format VARCHAR(10), analysis TEXT,
            mode_used VARCHAR(50), preset_used VARCHAR(50), embedding BLOB, embedding_model VARCHAR(100),
            processing_status VARCHAR(20) NOT NULL, error_message TEXT,
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, updated_at DATETIME, PRIMARY KEY (id),
            FOREIGN KEY(chat_id) REFERENCES chats (id));
        CREATE INDEX ix_images_file_id ON images (file_id);
        CREATE UNIQUE INDEX ix_images_file_unique_id ON images (file_unique_id);
        CREATE TABLE embedding_mappings (id INTEGER NOT NULL PRIMARY KEY, image_id INTEGER UNIQUE, embedding_id INTEGER);
        CREATE TABLE messages (id INTEGER NOT NULL PRIMARY KEY, chat_id INTEGER NOT NULL, text TEXT);
        """

    /// Adds a person.
    package func addUser(id: Int64, telegramID: Int64) throws {
        try queue.inDatabase {
            try $0.execute(
                sql: "INSERT INTO users (id, user_id, consent_given, banned) VALUES (?, ?, 1, 0)",
                arguments: [id, telegramID]
            )
        }
    }

    /// Adds a chat; `owner` is what the bot wrote into `user_id`, an internal or a Telegram id.
    package func addChat(id: Int64, telegramID: Int64, owner: Int64, type: String = "private") throws {
        try queue.inDatabase {
            try $0.execute(
                sql: """
                    INSERT INTO chats (id, chat_id, user_id, chat_type, current_mode, claude_mode, show_model_buttons)
                    VALUES (?, ?, ?, ?, 'default', 0, 0)
                    """,
                arguments: [id, telegramID, owner, type]
            )
        }
    }

    /// Adds an image.
    package func addImage(
        id: Int64,
        chat: Int64 = 1,
        original: String? = nil,
        compressed: String? = nil,
        status: String = "completed",
        embedding: (any DatabaseValueConvertible)? = nil,
        label: String? = nil,
        uniqueID: String? = nil
    ) throws {
        try queue.inDatabase {
            try $0.execute(
                sql: """
                    INSERT INTO images (id, chat_id, file_id, file_unique_id, original_path, compressed_path,
                        processing_status, embedding, embedding_model)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id, chat, "file\(id)", uniqueID ?? "unique\(id)", original, compressed, status, embedding, label,
                ]
            )
        }
    }

    /// Closes the connection, as a bot that stops does.
    package func close() throws { try queue.close() }

    /// Runs a statement.
    package func execute(_ sql: String, _ arguments: StatementArguments = []) throws {
        try queue.inDatabase { try $0.execute(sql: sql, arguments: arguments) }
    }

    /// One value.
    package func value<Value: DatabaseValueConvertible>(_ sql: String) throws -> Value? {
        try queue.inDatabase { try Value.fetchOne($0, sql: sql) }
    }

    /// What the bot knows of all images.
    package func images() throws -> [(id: Int64, chat: Int64, path: String?, uniqueID: String)] {
        try queue.inDatabase { db in
            try Row.fetchAll(db, sql: "SELECT id, chat_id, compressed_path, file_unique_id FROM images ORDER BY id")
                .map { ($0[0], $0[1], $0[2], $0[3]) }
        }
    }

    /// id → (blob, label) of all images.
    package func embeddings() throws -> [Int64: StoredEmbedding] { try queue.inDatabase(Self.embeddings) }

    static func embeddings(_ db: Database) throws -> [Int64: StoredEmbedding] {
        let rows = try Row.fetchAll(db, sql: "SELECT id, embedding, embedding_model FROM images")
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], StoredEmbedding(blob: $0[1], label: $0[2])) })
    }

    /// What stands in an image's two columns.
    package struct StoredEmbedding: Equatable, Sendable {
        package let blob: Data?
        package let label: String?
    }
}
