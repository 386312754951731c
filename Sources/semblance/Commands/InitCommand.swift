import ArgumentParser
import Catalog

/// `semblance init`: makes our tables at a server.
struct InitCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make Semblance's tables in a database of PostgreSQL.",
        discussion: """
            They stand in a schema of their own, semblance; the bot's tables are left as they are. Run it once, as a user \
            who may make tables, and again after an update; everything else can be done by --role, which needs no such \
            right. A file of SQLite needs none of this.
            """
    )

    @Option(help: "The role that generate and the other commands use.")
    var role: String?

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        guard let server = try settings.server() else {
            throw CommandError(.usage, "DATABASE_URL names a file of SQLite, which needs no init")
        }
        _ = try PostgresMainDatabase(server)
        let outcome = try PostgresSchema(server).make(for: role)
        Console.data("The tables of Semblance are in \(server.name).")
        if let reason = outcome.reason {
            Console.say("Without pgvector: \(reason). Every search looks at all vectors; the answers are the same.")
        }
        for grant in outcome.missingGrants { Console.data("Still needed: \(grant);") }
        return .done
    }
}
