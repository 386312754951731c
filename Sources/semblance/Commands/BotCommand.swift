import ArgumentParser
import Catalog
import HTTPServer
import Logging
import ServiceLifecycle
import TelegramBot
import UnixSignals

/// `semblance bot`: answers on Telegram.
struct BotCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "bot",
        abstract: "Answer on Telegram: send a picture, see what it resembles.",
        discussion: """
            Takes the updates of the bot whose token is TELEGRAM_BOT_TOKEN by long polling; serve --bot does the same \
            beside the server, and can be called by Telegram instead (TELEGRAM_WEBHOOK_URL). Two programs cannot take the \
            updates of one bot: give Semblance a bot of its own, or stop the other one.

            Answers the people and chats of TELEGRAM_ALLOWED_USERS and TELEGRAM_ALLOWED_CHATS. Where neither is set it \
            answers its owner alone, who is whoever sends it the code that it prints. What arrives is kept in \
            semblance-inbox.db before Telegram is told so, and is answered even if the program is killed in between. Where there \
            is no database yet, one is made with the bot's tables.
            """
    )

    @Flag(help: "Put the webhook out of use that takes the bot's updates.")
    var takeOver = false

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let botSettings = try BotSettings(settings, takesOver: takeOver)
        guard botSettings.webhookHost == nil else {
            throw CommandError(
                .usage,
                "TELEGRAM_WEBHOOK_URL is set: a webhook needs the server; run semblance serve --bot"
            )
        }
        let (models, metrics) = (LoadedModels(settings), Metrics())
        let worker = try EmbeddingWorker(settings, models, metrics: metrics)
        _ = try ImageRegistry(settings.address)
        let answers = AnswerLibrary(try ServeCommand.sources(settings, models))
        let composition = try BotComposition(settings, botSettings, answers, worker)
        var logger = Logger(label: "semblance")
        logger.logLevel = .error
        var configuration = ServiceGroupConfiguration(
            services: [composition.bot],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(8)
        let group = ServiceGroup(configuration: configuration)
        defer { worker.stop() }
        try Waiting.for { try await group.run() }
        Console.say("Stopped.")
        return .done
    }
}
