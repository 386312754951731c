import Foundation
import GRDB
package import SystemPackage

/// What the Telegram bot has received and not yet answered, and what it has yet to send: a file of its own.
///
/// One connection, a write-ahead log, full synchronisation: what a function has returned from survives a power cut.
/// Only one program may have it open, which a lock of the operating system on a file beside it sees to.
package final class Mailbox: Sendable {
    /// The file.
    package let path: FilePath
    private let queue: DatabaseQueue
    private let lock: RunLock

    /// After so many attempts an update is dead.
    package static let mostAttempts = 3
    /// How long it is remembered which updates came, so that one that comes twice is answered once; Telegram keeps an
    /// update for a day.
    package static let memory: Double = 48 * 3600

    /// Opens the file, and makes it where it is not there.
    ///
    /// - Throws: `.locked` where another bot has it open.
    package init(path: FilePath, patience: LockPatience = LockPatience()) throws(CatalogError) {
        self.path = path
        let file = path.string
        lock = try RunLock(beside: path, doing: "answers Telegram")
        try PrivateFile.make(path)
        queue = try CatalogError.naming(file) {
            var configuration = Configuration()
            configuration.busyMode = patience.busyMode
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;")
            }
            let queue = try DatabaseQueue(path: file, configuration: configuration)
            try queue.inDatabase { db in
                _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            var migrator = DatabaseMigrator()
            migrator.registerMigration("1: updates, messages, albums, facts") { try $0.execute(sql: Self.schema) }
            guard try !queue.read(migrator.hasBeenSuperseded) else {
                throw CatalogError(.schema, "\(file) was made by a newer Semblance; use that one")
            }
            try migrator.migrate(queue)
            return queue
        }
    }

    /// Times are seconds since 1970.
    ///
    /// A chat of 0 is none: an update that belongs to no chat.
    private static let schema = """
        CREATE TABLE updates (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            update_id INTEGER NOT NULL,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            chat INTEGER NOT NULL,
            person INTEGER NOT NULL,
            body BLOB,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'refused', 'dead')),
            attempts INTEGER NOT NULL DEFAULT 0,
            not_before REAL NOT NULL DEFAULT 0,
            received_at REAL NOT NULL,
            error TEXT,
            UNIQUE (update_id, digest)
        ) STRICT;
        CREATE INDEX updates_waiting ON updates (chat, id) WHERE state = 'waiting';
        CREATE INDEX updates_by_age ON updates (received_at);
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chat INTEGER NOT NULL,
            body BLOB,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'undeliverable')),
            attempts INTEGER NOT NULL DEFAULT 0,
            not_before REAL NOT NULL DEFAULT 0,
            unanswered INTEGER NOT NULL DEFAULT 0,
            made_at REAL NOT NULL,
            error TEXT
        ) STRICT;
        CREATE INDEX messages_waiting ON messages (chat, id) WHERE state = 'waiting';
        CREATE TABLE pauses (chat INTEGER PRIMARY KEY, until REAL NOT NULL) STRICT;
        CREATE TABLE albums (
            chat INTEGER NOT NULL,
            name TEXT NOT NULL,
            context BLOB NOT NULL,
            first_at REAL NOT NULL,
            due_at REAL,
            message_id INTEGER,
            PRIMARY KEY (chat, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE album_images (
            chat INTEGER NOT NULL,
            name TEXT NOT NULL,
            image_id INTEGER NOT NULL,
            PRIMARY KEY (chat, name, image_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """

    func read<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.read(work) }
    }

    func write<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.write(work) }
    }

    /// Forgets what is older than the memory.
    package func tidy(now: Double) throws(CatalogError) {
        try write { db in
            let end = now - Self.memory
            try db.execute(
                sql: "DELETE FROM updates WHERE received_at < ? AND state <> 'waiting'",
                arguments: [end]
            )
            try db.execute(sql: "DELETE FROM messages WHERE made_at < ? AND state <> 'waiting'", arguments: [end])
            try db.execute(sql: "DELETE FROM pauses WHERE until < ?", arguments: [now])
            try db.execute(
                sql: """
                    DELETE FROM album_images WHERE (chat, name) IN
                        (SELECT chat, name FROM albums WHERE first_at < ? AND due_at IS NULL)
                    """,
                arguments: [end]
            )
            try db.execute(sql: "DELETE FROM albums WHERE first_at < ? AND due_at IS NULL", arguments: [end])
        }
    }

    /// A word that is kept under a name, such as who owns the bot.
    package func fact(_ name: String) throws(CatalogError) -> String? {
        try read { try String.fetchOne($0, sql: "SELECT value FROM facts WHERE name = ?", arguments: [name]) }
    }

    /// Keeps a word under a name, in place of an earlier one.
    package func keepFact(_ name: String, _ value: String) throws(CatalogError) {
        try write {
            try $0.execute(sql: "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", arguments: [name, value])
        }
    }
}
