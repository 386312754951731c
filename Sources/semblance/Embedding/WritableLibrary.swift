import Backfill
import Catalog
import SystemPackage
import Vectors

/// Both databases, opened to embed images into one space; for whoever holds the run's lock.
struct WritableLibrary: Sendable {
    /// Writes the bot's database.
    private let writer: SQLiteMainDatabase
    /// Reads it, on a connection of its own.
    let catalog: Catalog
    let store: any VectorStore

    var vectors: any VectorDatabase { store.vectors }
    /// The longest time that a write held the lock which the bot needs for its own.
    var longestWrite: Duration { writer.longestWrite }

    /// Opens them.
    ///
    /// The writer comes first: where a program died in the middle of a write, it puts that right.
    ///
    /// - Parameter checks: Whether the bot's database is looked through for damage first.
    init(_ settings: Settings, for space: EmbeddingSpace, patience: LockPatience, checks: Bool = false) throws {
        let address = try settings.address
        writer = try SQLiteMainDatabase(address, isReadOnly: false, patience: patience)
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
    }

    /// Copies the bot's database.
    var backup: @Sendable () throws -> String {
        { [writer] in try Backup.make(of: writer).string }
    }
}
