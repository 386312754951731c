import ArgumentParser
import Backfill
import Catalog
import EmbeddingModel
import HTTPServer
import ImageDecoding
import Similarity
import SystemPackage
import TelegramBot
import Vectors

/// `semblance serve`: answers over HTTP.
struct ServeCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer over HTTP, and embed what is new.",
        discussion: """
            Listens on SEMBLANCE_ADDRESS (127.0.0.1:8000), where no key is needed. Any other address needs SEMBLANCE_API_KEY, \
            32 bytes or more, which a request sends as "Authorization: Bearer KEY"; SEMBLANCE_USER_KEYS=ID:KEY,ID:KEY gives \
            keys that see one user's images only. A request must name the address, localhost, or one of \
            SEMBLANCE_HOST_NAMES.

            New images that were sent in artistic mode are embedded within seconds after the bot has completed them \
            (SEMBLANCE_AUTO_EMBED=all: whatever the mode; off: none), into the space that answers come from. Before the \
            first vector of somebody else's is replaced the bot's database is copied. POST /api/v1/jobs/backfill embeds \
            everything, as generate --all-users does.
            """
    )

    @Option(help: "HOST:PORT; overrides SEMBLANCE_ADDRESS.")
    var address: String?

    @Flag(help: "Answer on Telegram as well; see semblance bot --help.")
    var bot = false

    @Flag(help: "With --bot: put the webhook out of use that takes the bot's updates.")
    var takeOver = false

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings(with: address.map { [.address: $0] } ?? [:])
        let serverSettings = try ServerSettings(settings).settings
        let botSettings = try bot ? BotSettings(settings, takesOver: takeOver) : nil
        if bot { _ = try ImageRegistry(settings.address) }
        _ = try settings.main()
        let (models, metrics) = (LoadedModels(settings), Metrics())
        let answers = AnswerLibrary(try Self.sources(settings, models))
        let worker = try EmbeddingWorker(settings, models, metrics: metrics)
        let server = AnswerServer(
            answers,
            worker,
            metrics: metrics,
            settings: serverSettings,
            companion: try botSettings.map { try companion($0, settings, answers, worker) }
        )
        do {
            try Waiting.for {
                try await server.run { port in Console.say("Listening on \(serverSettings.host), port \(port).") }
            }
        } catch {
            throw CommandError(.unavailable, "\(serverSettings.host), port \(serverSettings.port): \(error)")
        }
        Console.say("Stopped.")
        return .done
    }

    /// The bot beside the server.
    private func companion(
        _ bot: BotSettings,
        _ settings: Settings,
        _ answers: AnswerLibrary,
        _ worker: EmbeddingWorker
    ) throws -> Companion {
        let composition = try BotComposition(settings, bot, answers, worker)
        var webhook: Webhook?
        if case .webhook(_, let secret) = bot.way, let host = bot.webhookHost {
            webhook = Webhook(host: host, secret: secret) { [bot = composition.bot] in try bot.receive($0) }
        }
        return Companion(
            name: "telegram",
            state: { [state = composition.state] in state.summary },
            service: BotBesideServer(bot: composition.bot),
            webhook: webhook
        )
    }

    /// How the server opens what it answers from.
    static func sources(_ settings: Settings, _ models: LoadedModels) throws -> AnswerLibrary.Sources {
        let files = try settings.files
        var workers: (@Sendable () throws -> Workers.State)?
        if let server = try settings.server() { workers = { try Workers(server).state() } }
        return AnswerLibrary.Sources(
            openMain: { try settings.main(patience: LockPatience(limit: .seconds(5))) },
            openVectors: { try settings.vectors(index: true) },
            databases: try settings.databaseFiles,
            makeSearch: { try search($0, $1, settings) },
            workers: workers,
            loadImageEncoder: models.encoder,
            loadTextEncoder: { try Engine.textEncoder(of: $0, settings) },
            isModelHere: { (try? ModelStore(path: settings.models).model(named: $0?.model ?? settings.model)) != nil },
            isReachable: files.isReachable,
            readFile: { files.contained($0, limit: ImageLimits.standard.fileBytes) },
            model: settings.model
        )
    }

    /// A server that has an index searches by itself; all else is searched in memory.
    private static func search(
        _ catalog: Catalog,
        _ space: StoredSpace,
        _ settings: Settings
    ) throws -> any NearestSearch {
        guard try settings.server() != nil, try catalog.vectors?.hasWholeIndex(of: space) == true else {
            return try ResidentVectors(catalog, space: space)
        }
        return StoredSearch(catalog, space: space, usesIndex: true)
    }
}
