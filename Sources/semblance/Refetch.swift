import Backfill
import Catalog
import HTTPServer
import SystemPackage
import TelegramBot

/// Fetches files that are missing on disk from Telegram again, and puts their new paths into the bot's rows.
struct Refetch {
    private let settings: Settings
    private let bot: BotSettings
    private let scope: Scope
    private let stop: StopSignal
    private let registry: ImageRegistry

    init(_ settings: Settings, scope: Scope, stop: StopSignal) throws {
        self.settings = settings
        self.scope = scope
        self.stop = stop
        bot = try BotSettings(settings, takesOver: false)
        registry = try ImageRegistry(settings.address)
    }

    func perform() throws {
        let missing = try missingImages()
        guard !missing.isEmpty else { return Console.say("No file is missing here.") }
        Console.say("Fetching \(Counts.images(missing.count)) again whose files are missing here.")
        let models = LoadedModels(settings)
        let answers = AnswerLibrary(try ServeCommand.sources(settings, models))
        let worker = try EmbeddingWorker(settings, models, metrics: Metrics())
        let library = try BotComposition.library(settings, answers, worker)
        let fetcher = FileFetcher(bot.api, library, bot.rules)
        let fetched = try Waiting.for { [self] in
            do {
                let fetched = try await fetch(missing, fetcher)
                await bot.api.shutdown()
                return fetched
            } catch {
                await bot.api.shutdown()
                throw error
            }
        }
        Console.say("Fetched \(fetched); \(missing.count - fetched) are not to be had, and count as missing.")
    }

    /// Images without a file that can be opened, and what Telegram calls their files.
    private func missingImages() throws -> [(image: ImageRecord, fileID: String)] {
        let files = SourceFiles(root: try settings.root)
        let catalog = Catalog(main: try SQLiteMainDatabase(settings.address), vectors: nil)
        var missing: [(ImageRecord, String)] = []
        try catalog.survey(scope, model: settings.model, space: nil) { page in
            for surveyed in page where surveyed.image.isCompleted && !files.canOpen(surveyed.image) {
                guard let fileID = try registry.fileID(of: surveyed.image) else { continue }
                missing.append((surveyed.image.withoutVector, fileID))
            }
            return !stop.isRaised
        }
        return missing
    }

    private func fetch(_ missing: [(image: ImageRecord, fileID: String)], _ fetcher: FileFetcher) async throws -> Int {
        var count = 0
        for (image, fileID) in missing where !stop.isRaised {
            guard let path = try await fetcher.fetch(fileID) else { continue }
            try registry.setPath(path, of: image)
            count += 1
        }
        return count
    }
}
