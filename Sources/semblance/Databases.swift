import Backfill
import Catalog
import Foundation
import PostgreSQL
import Synchronization
import SystemPackage
import Vectors

/// A server that is made once and then used by all.
final class SharedServer: Sendable {
    private let server = Mutex<PostgresServer?>(nil)

    func get(_ make: () -> PostgresServer) -> PostgresServer {
        server.withLock { server in
            let found = server ?? make()
            server = found
            return found
        }
    }
}

/// The databases that the settings name, files or a server.
extension Settings {
    /// The server that has both; `nil` where they are files.
    ///
    /// - Parameter stop: Ends every wait for the server; with one, something that passes is waited for as long as ten
    ///   minutes, else for seconds.
    func server(stop: StopSignal? = nil) throws -> PostgresServer? {
        guard let value = value(of: .databaseURL), PostgresAddress.isAddress(value.text) else { return nil }
        let address: PostgresAddress
        do throws(PostgresAddress.Fault) {
            address = try PostgresAddress(value.text, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw CommandError(.usage, error.description)
        }
        guard value.source != "option" || !address.hasPassword else {
            throw CommandError(
                .usage,
                "A password on the command line can be read by everybody on this machine; put it into DATABASE_URL, "
                    + ".env or the file of PGPASSFILE"
            )
        }
        let shared = sharedServer.get { PostgresServer(address) }
        guard let stop else { return shared }
        // What is not there to begin with is told at once; only what was there is waited for.
        _ = try shared.now()
        return PostgresServer(address, patience: .seconds(600), isAbandoned: { stop.isRaised }) { reason in
            Console.say("Waiting for the database: \(reason)")
        }
    }

    /// The bot's database for reading.
    func main(patience: LockPatience = LockPatience()) throws -> any MainDatabase {
        if let server = try server() { return try PostgresMainDatabase(server) }
        return try SQLiteMainDatabase(address, patience: patience)
    }

    /// The files that both are; none where a server has them.
    var databaseFiles: [FilePath] {
        get throws { try server() == nil ? [address.path, vectorDatabase] : [] }
    }

    /// Our database for reading; `nil` where nothing was embedded yet.
    ///
    /// - Parameter index: Whether the index is looked into.
    func vectors(index: Bool = false) throws -> (any VectorDatabase)? {
        if let server = try server() { return try PostgresVectorDatabase.existing(server) }
        return try SQLiteVectorDatabase.existing(path: vectorDatabase, extensionPath: index ? sqliteVec : nil)
    }

    /// Our database, for a command that changes it; there must be one.
    func vectorsForWriting() throws -> any VectorDatabase {
        if let server = try server() { return try PostgresVectorDatabase(server) }
        return try SQLiteVectorDatabase.forWriting(self)
    }

    /// What keeps other programs from changing our file meanwhile; `nil` where a server does that.
    func lock() throws -> RunLock? { try server() == nil ? RunLock(beside: vectorDatabase) : nil }
}

extension Catalog {
    /// Both databases, opened for reading.
    ///
    /// - Parameter index: Whether the index is looked into.
    init(reading settings: Settings, index: Bool = false) throws {
        guard let server = try settings.server() else {
            self.init(main: try SQLiteMainDatabase(settings.address), vectors: try settings.vectors(index: index))
            if index, settings.sqliteVec != nil { sayWhyThereIsNoIndex() }
            return
        }
        self.init(main: try PostgresMainDatabase(server), vectors: try PostgresVectorDatabase.existing(server))
        if index { sayWhyThereIsNoIndex() }
    }

    private func sayWhyThereIsNoIndex() {
        guard case .unavailable(let reason) = vectors?.indexExtension else { return }
        Console.say("No index: \(reason). The answer is the same, found more slowly.")
    }
}
