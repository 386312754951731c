import ArgumentParser
import Catalog
import FoundationEssentials

/// What all commands share: an error becomes one sentence on stderr and the right exit status.
protocol SemblanceCommand: ParsableCommand {
    /// Does the work.
    func execute() throws -> ExitStatus
}

extension SemblanceCommand {
    func run() throws {
        var status: ExitStatus
        do {
            status = try execute()
        } catch {
            Console.say("semblance: \(error)")
            status = ExitStatus(error)
        }
        if status == .done && Console.hasLostData {
            Console.say("semblance: the output could not be written completely")
            status = .cannotWrite
        }
        guard status == .done else { throw ExitCode(status.code) }
    }
}

/// How the model computes; for every command that runs it.
struct PrecisionOption: ParsableArguments {
    @Option(help: "float32 or int8; overrides EMBEDDING_PRECISION.")
    var precision: String?

    /// The option as a setting.
    var settings: [Settings.Key: String] { precision.map { [.precision: $0] } ?? [:] }
}

/// Where things are; the same for every command.
struct LocationOptions: ParsableArguments {
    @Option(help: "The bot's database: a path or a URL. Overrides DATABASE_URL.")
    var database: String?

    @Option(help: "The folder that the bot's relative file paths start from.")
    var root: String?

    @Option(help: "The address of that folder on another machine: http://HOST/PATH.")
    var mediaUrl: String?

    @Option(help: "A file of settings, read instead of .env.local.")
    var envFile: String?

    /// Reads the settings with these options on top.
    func settings(with others: [Settings.Key: String] = [:]) throws -> Settings {
        var options = others
        options[.databaseURL] = database
        options[.root] = root
        options[.mediaURL] = mediaUrl
        return try Settings(options: options, environmentFile: envFile)
    }
}

extension Encodable {
    /// This value as JSON, keys sorted, for people and programs alike.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
