import Backfill
import Catalog
import HTTPServer
import ImageDecoding
import Similarity
import TelegramBot

/// The bot put together: it embeds with the server's worker and searches what the server answers from.
struct BotComposition {
    let bot: TelegramBot
    let state = BotState()

    init(_ settings: Settings, _ bot: BotSettings, _ answers: AnswerLibrary, _ worker: EmbeddingWorker) throws {
        self.bot = TelegramBot(
            bot.api,
            try Mailbox(path: settings.inbox),
            try Self.library(settings, answers, worker),
            rules: bot.rules,
            way: bot.way,
            state: state,
            say: { Console.say($0) }
        )
    }

    static func library(
        _ settings: Settings,
        _ answers: AnswerLibrary,
        _ worker: EmbeddingWorker
    ) throws -> BotLibrary {
        let registry = try ImageRegistry(settings.address)
        let files = try settings.files
        let vectors = try settings.vectorDatabase
        return BotLibrary(
            main: { try answers.catalog().main },
            registry: { registry },
            root: try settings.root,
            embed: { _ = try worker.embed($0) },
            search: { try answers.serviceIfEmbedded() },
            vector: { image, service in try answers.catalog().embedding(of: image, in: service.space) },
            words: { try answers.words($0, $1, for: $2) },
            statistics: { try answers.statistics($0).statistics },
            forget: { images in
                guard try SQLiteVectorDatabase.existing(path: vectors) != nil else { return }
                try worker.forget(images)
            },
            readFile: { files.contained($0, limit: ImageLimits.standard.fileBytes)?.bytes },
            isModelHere: { answers.isModelHere() }
        )
    }
}
