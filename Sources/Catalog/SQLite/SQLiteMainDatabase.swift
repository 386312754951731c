import CSQLite
import Foundation
package import GRDB
import Glibc
import Synchronization
package import SystemPackage
import Vectors

/// The bot's database as a file of SQLite, which its own program keeps reading and writing while we work.
///
/// Semblance writes the values of `images.embedding` and `images.embedding_model` there and nothing else: no table, no
/// index, no trigger, no journal mode. Read transactions last for one page of rows, write transactions for one batch.
/// On a file in WAL mode no connection of ours checkpoints on its own (SQLite 3.40 can lose pages when one connection
/// checkpoints while another commits); see `LogGuard`.
package final class SQLiteMainDatabase: MainDatabase {
    /// The database file.
    package let path: FilePath
    package var name: String { path.string }
    let schema: MainSchema
    private let queue: DatabaseQueue
    private let longest = Mutex(Duration.zero)

    /// Opens an existing database.
    ///
    /// - Throws: `.missing`, `.corrupt`, `.schema`, `.locked` or `.cannotWrite`.
    package init(
        _ address: DatabaseAddress,
        isReadOnly: Bool = true,
        patience: LockPatience = LockPatience()
    ) throws(CatalogError) {
        path = try address.checkFile()
        let file = path.string
        (queue, schema) = try CatalogError.naming(file) {
            let isInUse = Self.isInUse(file)
            var configuration = Self.configuration(keepsLog: !isReadOnly || isInUse, patience: patience)
            configuration.readonly = isReadOnly && isInUse
            let queue = try DatabaseQueue(path: file, configuration: configuration)
            let mode = isReadOnly ? "query_only = ON" : "synchronous = FULL"
            try queue.inDatabase { try $0.execute(sql: "PRAGMA \(mode)") }
            return (queue, try queue.read { try MainSchema($0) })
        }
        try schema.requireImages(file: file)
    }

    /// Whether the file has a log or a journal beside it.
    ///
    /// Reading a file in WAL mode makes a log where there is none, and only a connection that could write removes it
    /// again when it closes. So a file that nobody uses is opened for writing and then barred from it; one that is in
    /// use, or was left by a program that died, is opened for reading, which changes nothing beside it.
    private static func isInUse(_ file: String) -> Bool {
        ["-wal", "-journal"].contains { access(file + $0, F_OK) == 0 }
    }

    private static func configuration(keepsLog: Bool, patience: LockPatience) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = patience.busyMode
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA mmap_size = 0;
                    PRAGMA wal_autocheckpoint = 0;
                    """
            )
            if keepsLog { _ = semblance_keep_log_on_close(db.sqliteConnection) }
        }
        return configuration
    }

    /// The longest time that a write transaction held the lock which the bot needs for its own writes.
    package var longestWrite: Duration { longest.withLock { $0 } }

    /// Closes the connection.
    package func close() throws(CatalogError) {
        try CatalogError.naming(path.string) { try queue.close() }
    }

    /// Runs a short read transaction.
    func read<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.read(work) }
    }

    /// Runs a short write transaction, which takes the write lock at its beginning.
    func write<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) {
            try queue.inDatabase { db in
                var result: Result?
                var locked = ContinuousClock.now
                try db.inTransaction(.immediate) {
                    locked = .now
                    result = try work(db)
                    return .commit
                }
                let held = ContinuousClock.now - locked
                longest.withLock { $0 = max($0, held) }
                guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                return result
            }
        }
    }

    /// Runs statements outside any transaction.
    package func withoutTransaction<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.inDatabase(work) }
    }

    /// The journal mode that the file was made with.
    package func journalMode() throws(CatalogError) -> String {
        try withoutTransaction { try String.fetchOne($0, sql: "PRAGMA journal_mode") ?? "unknown" }
    }

    /// How many rows a table has; `nil` where there is no such table.
    package func count(_ table: String) throws(CatalogError) -> Int? {
        guard schema.has("id", in: table), ["users", "chats", "images"].contains(table) else { return nil }
        return try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") }
    }

    package func owners(required: Bool) throws(CatalogError) -> Owners? {
        do throws(CatalogError) {
            try schema.requireOwners(file: name)
        } catch {
            guard required else { return nil }
            throw error
        }
        return try read { db in
            let users = try Row.fetchAll(db, sql: "SELECT id, user_id FROM users WHERE user_id IS NOT NULL")
            let chats = try Row.fetchAll(db, sql: "SELECT id, chat_id, user_id FROM chats WHERE user_id IS NOT NULL")
            return Owners(
                users: users.map { (id: $0[0], telegramID: $0[1]) },
                chats: chats.compactMap { chat in
                    (chat[2] as Int64?).map { (id: chat[0], telegramID: chat[1] as Int64?, owner: $0) }
                }
            )
        }
    }

    /// Looks for damage for a few seconds: every page of a small database, the first ones of a large one.
    ///
    /// - Throws: `.corrupt` where SQLite finds the file damaged.
    package func check(within seconds: Double = 4) throws(CatalogError) {
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + seconds)
        timer.setEventHandler { [queue] in queue.interrupt() }
        timer.resume()
        defer { timer.cancel() }
        do throws(CatalogError) {
            let verdict = try read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
            guard verdict == "ok" else {
                throw CatalogError(DatabaseError(resultCode: .SQLITE_CORRUPT), file: path.string)
            }
        } catch  where error.code == .interrupted {
            return
        }
    }
}
