import ArgumentParser
import Catalog

/// `semblance workers`: who embeds at a server.
struct WorkersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers",
        abstract: "Show who embeds at a server of PostgreSQL, and how far all of them are; pause and resume them.",
        subcommands: [Show.self, Pause.self, Resume.self],
        defaultSubcommand: Show.self
    )

    /// `semblance workers show`.
    struct Show: SemblanceCommand {
        static let configuration = CommandConfiguration(abstract: "Show who does what; changes nothing.")

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var locations: LocationOptions

        func execute() throws -> ExitStatus {
            let report = WorkersReport(state: try Workers(locations.server()).state())
            if json { Console.data(try report.json()) } else { report.lines.forEach(Console.data) }
            return .done
        }
    }

    /// `semblance workers pause`.
    struct Pause: SemblanceCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let no worker begin anything new, on whatever machine; what is begun is finished."
        )

        @OptionGroup var locations: LocationOptions

        func execute() throws -> ExitStatus {
            try Workers(locations.server()).setPaused(true)
            Console.data("Paused: no worker claims any more images. semblance workers resume lets them go on.")
            return .done
        }
    }

    /// `semblance workers resume`.
    struct Resume: SemblanceCommand {
        static let configuration = CommandConfiguration(abstract: "Let the workers go on.")

        @OptionGroup var locations: LocationOptions

        func execute() throws -> ExitStatus {
            try Workers(locations.server()).setPaused(false)
            Console.data("Resumed.")
            return .done
        }
    }
}

extension LocationOptions {
    /// The server, for what only a server has.
    fileprivate func server() throws -> PostgresServer {
        guard let server = try settings().server() else {
            throw CommandError(.usage, "DATABASE_URL names a file of SQLite; workers are of a server of PostgreSQL")
        }
        _ = try PostgresVectorDatabase(server)
        return server
    }
}
