import ArgumentParser
import Backfill
import Catalog
import EmbeddingModel
import Glibc
import SystemPackage
import Vectors

/// `semblance generate`: gives every image an embedding.
struct GenerateCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Embed every image that has no real embedding yet.",
        discussion: """
            Stale vectors (another model's, damaged, or made by no model) are replaced after a backup of the bot's \
            database; vectors of the model that another program computed are taken over where a sample of them, computed \
            anew, agrees. With another EMBEDDING_MODEL the new vectors are gathered beside the old ones, which go on \
            answering until everything that can be embedded has a new one (or until semblance space activate). It can be \
            stopped at any moment, even with kill -9; the next run goes on from there.
            """
    )

    @Flag(help: "All users' images.")
    var allUsers = false

    @Option(help: "Only this user's images (the Telegram id).")
    var userId: Int64?

    @Option(help: "Images per write transaction, 1 to 1000 (10; at a server 64).")
    var batchSize: Int?

    @Flag(help: "Say what would be done and how long it would take; change nothing.")
    var dryRun = false

    @Option(help: "Touch at most this many images.")
    var limit: Int?

    @Flag(help: "Try images again that failed before.")
    var retryFailed = false

    @Flag(help: "Embed JPEG, WebP and GIF files that were cut off as far as they go.")
    var allowTruncated = false

    @Flag(help: "First fetch files again from Telegram that are missing here (TELEGRAM_BOT_TOKEN).")
    var refetch = false

    @Flag(help: "Replace stale vectors without a backup of the bot's database.")
    var noBackup = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var precision: PrecisionOption
    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard allUsers != (userId != nil) else {
            throw ValidationError("Give either --all-users or --user-id N.")
        }
        guard batchSize.map({ 1...1000 ~= $0 }) ?? true else { throw ValidationError("--batch-size takes 1 to 1000.") }
        guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit takes a number above 0.") }
    }

    private var options: Backfill.Options {
        var options = Backfill.Options(scope: userId.map { .user($0) } ?? .allUsers)
        if let batchSize { options.batchSize = batchSize }
        options.limit = limit
        options.retriesFailures = retryFailed
        options.makesBackup = !noBackup
        options.allowsTruncated = allowTruncated
        return options
    }

    func execute() throws -> ExitStatus {
        let stop = StopSignal()
        let interruption = Interruption(stop)
        let settings = try locations.settings(with: precision.settings)
        let server = try settings.server(stop: stop)
        if server == nil {
            try settings.address.checkFile()
            if !dryRun { try checkWritable(settings) }
        }
        if refetch && !dryRun { try Refetch(settings, scope: options.scope, stop: stop).perform() }
        let encoder = try Engine.encoder(settings, threads: 1)
        let status =
            try dryRun
            ? rehearse(encoder, settings, stop)
            : server.map { try generate(encoder, settings, $0, stop) }
                ?? generate(encoder, settings, stop)
        return interruption.signal.map { .interrupted(by: $0) } ?? status
    }

    private func patience(_ stop: StopSignal) -> LockPatience {
        LockPatience(shortenedBy: stop, to: .seconds(5)) {
            Console.say("Waiting for another program that holds the database's lock…")
        }
    }

    /// Says so before the model is loaded, where the databases could not be written anyway.
    private func checkWritable(_ settings: Settings) throws {
        for path in [try settings.address.path, try settings.address.path.removingLastComponent()] {
            guard path.withPlatformString({ access($0, W_OK) }) == 0 else {
                throw CommandError(.cannotWrite, "\(path) is read-only for this user; generate must write there")
            }
        }
    }

    private func options(_ settings: Settings) -> Backfill.Options {
        var options = options
        options.modelThreads = settings.threads
        return options
    }

    private func rehearse(_ encoder: ImageEncoder, _ settings: Settings, _ stop: StopSignal) throws -> ExitStatus {
        let backfill = Backfill(
            catalog: try rehearsed(settings, stop),
            files: try settings.files,
            options: options(settings),
            stop: stop
        )
        let report = DryRunReport(dryRun: try backfill.dryRun(encoder), options: options)
        try print(report, report.lines)
        return .done
    }

    private func rehearsed(_ settings: Settings, _ stop: StopSignal) throws -> Catalog {
        guard try settings.server() == nil else { return try Catalog(reading: settings) }
        let reader = try SQLiteMainDatabase(settings.address, patience: patience(stop))
        try reader.check()
        return Catalog(main: reader, vectors: try settings.vectors())
    }

    /// Alone, on files.
    private func generate(_ encoder: ImageEncoder, _ settings: Settings, _ stop: StopSignal) throws -> ExitStatus {
        let lock = try RunLock(beside: settings.vectorDatabase)
        defer { lock.release() }
        let library = try WritableLibrary(settings, for: encoder.space, patience: patience(stop), checks: true)
        return try generate(encoder, settings, library, stop)
    }

    /// As one of any number of programs, at a server.
    private func generate(
        _ encoder: ImageEncoder,
        _ settings: Settings,
        _ server: PostgresServer,
        _ stop: StopSignal
    ) throws -> ExitStatus {
        let library = try WritableLibrary(server, for: encoder.space, shares: allUsers)
        do {
            return try generate(encoder, settings, library, stop)
        } catch {
            // What is claimed here is free for others at once, instead of when its lease runs out.
            try? library.store.queue?.close()
            throw error
        }
    }

    private func generate(
        _ encoder: ImageEncoder,
        _ settings: Settings,
        _ library: WritableLibrary,
        _ stop: StopSignal
    ) throws -> ExitStatus {
        if case .unavailable(let reason) = library.store.index {
            Console.say("No index: \(reason). Vectors are stored all the same; the next run with an index fills it.")
        }
        if allUsers, try library.store.queue?.beginPlanning() ?? true {
            try sweep(library.vectors, by: library.catalog.main)
        }
        var options = options(settings)
        if batchSize == nil, library.store.queue != nil { options.batchSize = 64 }
        let run = try LibraryRun(library, encoder, settings, options: options, stop: stop)
        let outcome = try run.perform(.console)
        try report(outcome, library, settings)
        return outcome.summary.failedTotal > 0 ? .someFailed : .done
    }

    private func report(_ outcome: LibraryRun.Outcome, _ library: WritableLibrary, _ settings: Settings) throws {
        let isInterrupted = outcome.summary.isInterrupted
        let statistics =
            try isInterrupted
            ? nil : library.catalog.statistics(options.scope, model: settings.model, space: library.store.space)
        let report = GenerateReport(
            summary: outcome.summary,
            plan: outcome.plan,
            statistics: statistics,
            isActive: library.store.isActive,
            longestWrite: library.longestWrite()
        )
        try print(report, report.lines)
        if let change = outcome.change { Console.say(change.announcement) }
        if isInterrupted { Console.say("Stopped. What was stored stays; the same command goes on from here.") }
    }

    /// Lets the vectors of deleted images go.
    private func sweep(_ vectors: any VectorDatabase, by main: any MainDatabase) throws {
        let orphans = try vectors.removeOrphans(by: main)
        guard orphans.count > 0 else { return }
        Console.say(
            orphans.isPlausible
                ? "Removed the vectors of \(Counts.images(orphans.count)) that the bot has deleted."
                : "\(orphans.count) of \(orphans.total) vectors are of images that are not in the bot's database. They stay: "
                    + "is this the right database? If it is, semblance verify --repair --yes removes them."
        )
    }

    private func print(_ report: some Encodable, _ lines: [String]) throws {
        guard !json else {
            Console.data(try report.json())
            return
        }
        for line in lines { Console.data(line) }
    }
}
