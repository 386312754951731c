import ArgumentParser
import Catalog
import PostgreSQL
import Vectors

/// `semblance migrate-store`: moves our database from a file to a server.
struct MigrateStoreCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate-store",
        abstract: "Move spaces, vectors, failures and runs from our file to a server of PostgreSQL.",
        discussion: """
            The bot's own tables must have been moved there before, with the ids that they had, and semblance init run. Our \
            file is only read. Broken off, the same command goes on; both sides are compared in the end. Set DATABASE_URL to \
            the server's address afterwards.
            """
    )

    @Option(help: "The server's address; without a password, which belongs into the file of PGPASSFILE.")
    var to: String

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        guard try settings.server() == nil else {
            throw CommandError(.usage, "DATABASE_URL names a server already; it must name the file that is moved from")
        }
        guard let server = try Settings(options: [.databaseURL: to], environmentFile: locations.envFile).server() else {
            throw CommandError(.usage, "--to takes the address of a database of PostgreSQL: postgresql://HOST/NAME")
        }
        let lock = try RunLock(beside: settings.vectorDatabase, doing: "embeds or moves")
        defer { lock.release() }
        guard let source = try SQLiteVectorDatabase.existing(path: settings.vectorDatabase) else {
            throw CommandError(.missingFile, "There is no \(try settings.vectorDatabase), so nothing to move")
        }
        let migration = StoreMigration(
            from: source,
            to: try PostgresVectorDatabase(server),
            main: try PostgresMainDatabase(server)
        )
        let outcomes = try migration.run { done in
            if Console.isInteractive { Console.draw("\(done) vectors looked at") }
        }
        for outcome in outcomes {
            Console.data(
                "\(Console.oneLine(outcome.space.model)): \(outcome.vectors) vectors are there and equal, "
                    + "\(outcome.vectors - outcome.present) of them moved now; \(outcome.leftOut) left out, whose images the "
                    + "server has not; \(outcome.failures) failures."
            )
        }
        return .done
    }
}
