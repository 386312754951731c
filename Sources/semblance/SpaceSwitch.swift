import Backfill
import Catalog
import SystemPackage
import Vectors

/// Changes the active space by hand: the flip, then the bot's rows.
struct SpaceSwitch {
    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    /// Makes the chosen space the active one.
    ///
    /// Stopped on the way, `generate` or the same command finishes it.
    func change(to choose: (any VectorDatabase) throws -> StoredSpace) throws -> ExitStatus {
        let stop = StopSignal()
        let interruption = Interruption(stop)
        let server = try settings.server(stop: stop)
        if server == nil { try settings.address.checkFile() }
        let lock = try settings.lock()
        defer { lock?.release() }
        let vectors = try settings.vectorsForWriting()
        let space = try choose(vectors)
        guard try vectors.vectorCount(in: space) > 0 else {
            throw CommandError(
                .usage,
                "Space \(space.id) has no vectors; EMBEDDING_MODEL=… semblance generate fills it"
            )
        }
        let library =
            try server.map { try WritableLibrary($0, for: space.space, shares: false) }
            ?? WritableLibrary(settings, for: space.space, patience: LockPatience())
        let backfill = Backfill(
            catalog: library.catalog,
            files: try settings.files,
            options: .init(scope: .allUsers),
            stop: stop
        )
        let summary = try backfill.activate(library.store, backup: library.backup, observer: .console)
        Console.data(
            "Answers come from space \(space.id), \(space.space.model); \(Counts.images(summary.published)) written into the "
                + "bot's database."
        )
        return interruption.signal.map { .interrupted(by: $0) } ?? .done
    }
}

extension SQLiteVectorDatabase {
    /// Our file, for a command that changes it; there must be one.
    static func forWriting(_ settings: Settings) throws -> SQLiteVectorDatabase {
        let path = try settings.vectorDatabase
        guard try existing(path: path) != nil else {
            throw CommandError(.missingFile, "There is no \(path) yet; semblance generate makes it")
        }
        return try SQLiteVectorDatabase(path: path, isReadOnly: false, extensionPath: settings.sqliteVec)
    }

}

extension VectorDatabase {
    /// A space by its number, or by its model's name where there is one of that name.
    func space(named name: String) throws -> StoredSpace {
        let found = try spaces().filter { String($0.id) == name || $0.space.model == name }
        guard let space = found.first, found.count == 1 else {
            throw CommandError(
                .usage,
                found.isEmpty
                    ? "There is no space \(name); semblance space list shows what there is"
                    : "The model \(name) has the spaces \(found.map { String($0.id) }.joined(separator: ", ")); name one by its number"
            )
        }
        return space
    }
}
