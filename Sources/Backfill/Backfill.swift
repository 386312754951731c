package import Catalog
package import EmbeddingModel
import Foundation
import Synchronization
package import Vectors

/// Gives every image of a scope a vector of one space.
///
/// What an earlier run computed and could not bring to the bot's database is published first; then
///
///     plan (one thread) → prepare (a thread per core) → model (a thread per core) → keep (the caller's thread)
///
/// The stages are joined by bounded queues: the model does not wait for files nor for the disk, and memory holds a few
/// batches however many images there are. No transaction is open while a file is read or the model runs.
///
/// Each thread of the model runs calls of its own on one core. On two cores that is 5 to 8 % faster than one call at a
/// time on both, and a third faster while another program keeps a core busy: no call waits for its slower half.
package struct Backfill: Sendable {
    /// What a run is asked to do.
    package struct Options: Sendable {
        package var scope: Scope
        /// The images of one write transaction.
        package var batchSize = 10
        /// Threads that run the model, each on pictures of its own.
        package var modelThreads = 1
        /// The most images that a run touches; `nil` for all.
        package var limit: Int?
        /// Whether images with a recorded failure are tried again.
        package var retriesFailures = false
        /// Whether the bot's database is copied before the first stale vector is replaced.
        package var makesBackup = true

        /// Whether a file that was cut off is embedded as far as it goes.
        package var allowsTruncated = false

        package init(scope: Scope) { self.scope = scope }
    }

    let catalog: Catalog
    let files: SourceFiles
    let options: Options
    let policy: FailurePolicy
    let stop: StopSignal

    /// - Parameters:
    ///   - catalog: Reads the bot's database on a connection of its own.
    ///   - now: Seconds since 1970, against which recorded failures are due.
    package init(
        catalog: Catalog,
        files: SourceFiles,
        options: Options,
        stop: StopSignal = StopSignal(),
        now: Double = Date().timeIntervalSince1970
    ) {
        self.catalog = catalog
        self.files = files
        self.options = options
        self.stop = stop
        policy = FailurePolicy(retriesAll: options.retriesFailures, now: now)
    }

    /// Counts what a run would do, without reading any file.
    ///
    /// - Parameter queue: Gets what is to be embedded, where it is shared out among several programs; one of them plans, and
    ///   the others see what it has offered so far.
    package func plan(for space: EmbeddingSpace, queue: WorkQueue? = nil) throws -> Plan {
        if let queue, try !queue.beginPlanning() { return Plan(toEmbed: try queue.count()) }
        var plan = Plan()
        var offer: [Int64] = []
        try visit(space) { surveyed, decision in
            plan.count(decision, surveyed.condition)
            if queue != nil, decision == .embed || decision == .describe { offer.append(surveyed.image.id) }
            if offer.count >= Self.offerSize {
                try queue?.offer(offer)
                offer = []
            }
            return !stop.isRaised
        }
        if !offer.isEmpty { try queue?.offer(offer) }
        try queue?.endPlanning()
        return plan
    }

    /// The images that are offered to other programs at a time.
    private static let offerSize = 1000

    /// Visits the completed images of the scope until the visitor returns `false`.
    ///
    /// - Parameter last: The id after which they begin.
    func visit(
        _ space: EmbeddingSpace,
        after last: Int64 = .min,
        _ visitor: (Catalog.SurveyedImage, Decision) throws -> Bool
    ) throws {
        let stored = try catalog.vectors?.stored(space)
        let publishes = try catalog.vectors?.isAnswered(by: space) ?? true
        try catalog.survey(options.scope, model: space.model, space: stored, after: last) { page in
            for surveyed in page where surveyed.image.isCompleted {
                let decision = Decision(for: surveyed, publishes: publishes, files: files, policy: policy)
                guard try visitor(surveyed, decision) else { return false }
            }
            return true
        }
    }

    /// Embeds what has to be embedded.
    ///
    /// - Parameters:
    ///   - encoder: The loaded model, whose calls run on one thread each.
    ///   - store: Where the vectors go.
    ///   - backup: Copies the bot's database and names the copy.
    /// - Throws: What stopped the run; it is charged to no image, and what was stored stays.
    package func run(
        _ encoder: ImageEncoder,
        plan: Plan,
        store: any VectorStore,
        backup: (@Sendable () throws -> String)?,
        observer: Observer
    ) throws -> Summary {
        let start = ContinuousClock.now
        try store.keepKnownAnswers(of: encoder)
        let keeper = keeper(store, total: plan.total, backup, observer)
        if plan.toPublish > 0 { try publish(encoder.space, keeper) }
        let adoption = try plan.toReplace[.unknownOrigin].flatMap { _ in
            try Adoption(self, encoder, report: observer.adoption)
        }
        let pipeline = Pipeline(
            batchSize: options.batchSize,
            preparedCount: 2 * options.modelThreads * encoder.callSize,
            observe: observer.stage
        )
        stop.onRaise { pipeline.planned.close() }
        let space = encoder.space
        let preparation = ImagePreparation(
            files: files,
            preprocessing: encoder.preprocessing,
            allowsTruncated: options.allowsTruncated
        )
        let feed = { @Sendable in
            if let queue = store.queue {
                self.feed(pipeline, from: queue, space, adoption)
            } else {
                self.feed(pipeline, space, adoption)
            }
        }
        let threads =
            [WorkerThread(feed)] + startPreparers(preparation, pipeline)
            + startModel(encoder, pipeline)
        write(from: pipeline, keeper, store.queue)
        for thread in threads { thread.join() }
        if let fault = pipeline.fault { throw fault }
        try keeper.finish()
        var summary = summary(of: keeper, since: start)
        summary.skipped = plan.skipped
        summary.processorTimes = pipeline.times.withLock { $0 }
        return summary
    }

    func keeper(
        _ store: any VectorStore,
        total: Int,
        _ backup: (@Sendable () throws -> String)?,
        _ observer: Observer
    ) -> Keeper {
        Keeper(
            store: store,
            progress: Progress(total: options.limit.map { min($0, total) } ?? total),
            observer: observer,
            backup: options.makesBackup ? backup : nil
        )
    }

    func summary(of keeper: Keeper, since start: ContinuousClock.Instant) -> Summary {
        var summary = keeper.summary
        summary.seconds = (ContinuousClock.now - start) / .seconds(1)
        summary.isInterrupted = stop.isRaised
        return summary
    }

    /// Threads that read and decode files: one per core.
    static let preparerCount = max(ProcessInfo.processInfo.activeProcessorCount, 1)

    /// The second stage: a thread per core; the last one to end closes the door behind it.
    private func startPreparers(_ preparation: ImagePreparation, _ pipeline: Pipeline) -> [WorkerThread] {
        let running = Countdown(Self.preparerCount)
        return (0..<Self.preparerCount).map { _ in
            WorkerThread {
                while let planned = pipeline.planned.pop(), !stop.isRaised {
                    let result = pipeline.timing(.prepare) {
                        Result { () throws(SourceFiles.Fault) in try preparation.prepare(planned.image) }
                    }
                    if case .failure(let fault) = result, let cause = fault.cause { pipeline.fail(cause) }
                    guard pipeline.prepared.push(Pipeline.Prepared(planned: planned, result: result)) else { break }
                }
                if running.isLast() { pipeline.prepared.close() }
            }
        }
    }

    /// The third stage: each thread takes what is prepared, at most a call's worth, and embeds it.
    private func startModel(_ encoder: ImageEncoder, _ pipeline: Pipeline) -> [WorkerThread] {
        let stage = ModelStage(encoder: encoder, policy: policy)
        let running = Countdown(options.modelThreads)
        return (0..<options.modelThreads).map { _ in
            WorkerThread {
                do {
                    while !stop.isRaised && pipeline.fault == nil {
                        let call = pipeline.prepared.pop(atMost: encoder.callSize)
                        guard !call.isEmpty else { break }
                        for outcome in try pipeline.timing(.model, { try stage.embed(call) }) {
                            pipeline.outcomes.push(outcome)
                        }
                    }
                } catch {
                    pipeline.fail(error)
                }
                guard running.isLast() else { return }
                pipeline.prepared.close()
                pipeline.outcomes.close()
            }
        }
    }

    /// The last stage: gathers batches and writes them.
    ///
    /// Where images were claimed, the last of them are written as soon as nothing else is on its way.
    private func write(from pipeline: Pipeline, _ keeper: Keeper, _ queue: WorkQueue?) {
        var batch: [Pipeline.Outcome] = []
        do {
            while true {
                let outcome = pipeline.outcomes.pop()
                if let outcome { batch.append(outcome) }
                let isLast = outcome.map { $0.isFlush } ?? true
                if batch.count >= options.batchSize || isLast || batch.count == queue?.heldCount {
                    try pipeline.timing(.store) { try keeper.keep(batch) }
                    batch = []
                }
                if outcome == nil { return }
            }
        } catch {
            pipeline.fail(error)
        }
    }
}
