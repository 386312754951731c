import Backfill
import Catalog
import FoundationEssentials
import Glibc
import SystemPackage
import Vectors

/// Both databases, opened to embed images into one space.
///
/// Two files belong to whoever holds the run's lock; at a server any number of programs embed at once.
struct WritableLibrary: Sendable {
    let catalog: Catalog
    let store: any VectorStore
    /// Copies the bot's database; `nil` where what is replaced is kept otherwise.
    let backup: (@Sendable () throws -> String)?
    /// The longest time that a write held the lock which the bot needs for its own.
    let longestWrite: @Sendable () -> Duration
    /// Seconds since 1970, by the clock of whoever keeps the failures.
    let now: Double

    var vectors: any VectorDatabase { store.vectors }

    /// Opens two files.
    ///
    /// The writer comes first: where a program died in the middle of a write, it puts that right.
    ///
    /// - Parameter checks: Whether the bot's database is looked through for damage first.
    init(_ settings: Settings, for space: EmbeddingSpace, patience: LockPatience, checks: Bool = false) throws {
        let address = try settings.address
        let writer = try SQLiteMainDatabase(address, isReadOnly: false, patience: patience)
        if checks { Backup.removeUnfinished(beside: writer.path) }
        let reader = try SQLiteMainDatabase(address, patience: patience)
        if checks { try reader.check() }
        let vectors = try SQLiteVectorDatabase(
            path: settings.vectorDatabase,
            isReadOnly: false,
            extensionPath: settings.sqliteVec,
            patience: patience
        )
        store = try SQLiteVectorStore(main: writer, vectors: vectors, space: space)
        catalog = Catalog(main: reader, vectors: vectors)
        backup = { try Backup.make(of: writer).string }
        longestWrite = { writer.longestWrite }
        now = Date().timeIntervalSince1970
    }

    /// Opens a server.
    ///
    /// - Parameter shares: Whether the work is shared with other programs; not where only some images are wanted.
    init(_ server: PostgresServer, for space: EmbeddingSpace, shares: Bool) throws {
        let main = try PostgresMainDatabase(server)
        let vectors = try PostgresVectorDatabase(server)
        store = try PostgresVectorStore(
            server,
            main: main,
            vectors: vectors,
            space: space,
            worker: shares ? Self.workerName : nil
        )
        catalog = Catalog(main: main, vectors: vectors)
        backup = nil
        longestWrite = { .zero }
        now = try server.now()
    }

    /// This machine and this process.
    private static var workerName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(host):\(getpid())"
    }
}
