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

    @Option(help: "Images per write transaction, 1 to 1000.")
    var batchSize = 10

    @Flag(help: "Say what would be done and how long it would take; change nothing.")
    var dryRun = false

    @Option(help: "Touch at most this many images.")
    var limit: Int?

    @Flag(help: "Try images again that failed before.")
    var retryFailed = false

    @Flag(help: "Embed JPEG, WebP and GIF files that were cut off as far as they go.")
    var allowTruncated = false

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
        guard 1...1000 ~= batchSize else { throw ValidationError("--batch-size takes 1 to 1000.") }
        guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit takes a number above 0.") }
    }

    private var options: Backfill.Options {
        var options = Backfill.Options(scope: userId.map { .user($0) } ?? .allUsers)
        options.batchSize = batchSize
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
        try settings.address.checkFile()
        if !dryRun { try checkWritable(settings) }
        let encoder = try Engine.encoder(settings, threads: 1)
        let status = try dryRun ? rehearse(encoder, settings, stop) : generate(encoder, settings, stop)
        return interruption.signal.map { .interrupted(by: $0) } ?? status
    }

    private func patience(_ stop: StopSignal) -> LockPatience {
        let patience = LockPatience {
            Console.say("Waiting for another program that holds the database's lock…")
        }
        stop.onRaise { patience.shorten(to: .seconds(5)) }
        return patience
    }

    /// Says so before the model is loaded, where the databases could not be written anyway.
    private func checkWritable(_ settings: Settings) throws {
        for path in [try settings.address.path, try settings.address.path.removingLastComponent()] {
            guard path.withPlatformString({ access($0, W_OK) }) == 0 else {
                throw CommandError(.cannotWrite, "\(path) is read-only for this user; generate must write there")
            }
        }
    }

    private func backfill(_ catalog: Catalog, _ settings: Settings, _ stop: StopSignal) throws -> Backfill {
        var options = options
        options.modelThreads = settings.threads
        return Backfill(catalog: catalog, files: SourceFiles(root: try settings.root), options: options, stop: stop)
    }

    private func reader(_ settings: Settings, _ stop: StopSignal) throws -> MainDatabase {
        let reader = try MainDatabase(settings.address, patience: patience(stop))
        try reader.check()
        return reader
    }

    private func rehearse(_ encoder: ImageEncoder, _ settings: Settings, _ stop: StopSignal) throws -> ExitStatus {
        let reader = try reader(settings, stop)
        let catalog = Catalog(main: reader, vectors: try .existing(path: settings.vectorDatabase))
        let report = DryRunReport(dryRun: try backfill(catalog, settings, stop).dryRun(encoder), options: options)
        try print(report, report.lines)
        return .done
    }

    /// The writer comes first: where a program died in the middle of a write, it puts that right.
    private func generate(_ encoder: ImageEncoder, _ settings: Settings, _ stop: StopSignal) throws -> ExitStatus {
        let lock = try RunLock(beside: settings.vectorDatabase)
        defer { lock.release() }
        let writer = try MainDatabase(settings.address, isReadOnly: false, patience: patience(stop))
        Backup.removeUnfinished(beside: writer.path)
        let reader = try reader(settings, stop)
        let vectors = try VectorDatabase(
            path: settings.vectorDatabase,
            isReadOnly: false,
            extensionPath: settings.sqliteVec,
            patience: patience(stop)
        )
        let store = try VectorStore(main: writer, vectors: vectors, space: encoder.space)
        if case .unavailable(let reason) = store.index {
            Console.say("No index: \(reason). Vectors are stored all the same; the next run with an index fills it.")
        }
        if allUsers { try sweep(vectors, by: reader) }
        let catalog = Catalog(main: reader, vectors: vectors)
        let backfill = try backfill(catalog, settings, stop)
        let backup = { @Sendable in try Backup.make(of: writer).string }
        let plan = try backfill.plan(for: encoder.space)
        var summary = try backfill.run(encoder, plan: plan, store: store, backup: backup, observer: .console)
        let change = try store.isActive || summary.isInterrupted ? nil : SpaceChange(catalog, to: store.space, settings)
        if let change, change.isDue {
            Console.say(change.announcement)
            summary.published += try backfill.activate(store, backup: backup, observer: .console).published
        }
        let statistics =
            try summary.isInterrupted
            ? nil : catalog.statistics(options.scope, model: settings.model, space: store.space)
        let report = GenerateReport(
            summary: summary,
            plan: plan,
            statistics: statistics,
            isActive: store.isActive,
            longestWrite: writer.longestWrite
        )
        try print(report, report.lines)
        if let change, !change.isDue { Console.say(change.announcement) }
        if summary.isInterrupted { Console.say("Stopped. What was stored stays; the same command goes on from here.") }
        return summary.failedTotal > 0 ? .someFailed : .done
    }

    /// Lets the vectors of deleted images go.
    private func sweep(_ vectors: VectorDatabase, by main: MainDatabase) throws {
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
