package import Catalog
package import EmbeddingModel
import Foundation
package import Vectors

/// Gives every image of a scope a vector of one space.
///
///     plan (one thread) → prepare (a thread per core) → model (the caller's thread) → keep (one thread)
///
/// The stages are joined by bounded queues: the model does not wait for files nor for the disk, and memory holds a few
/// batches however many images there are. No transaction is open while a file is read or the model runs.
package struct Backfill: Sendable {
    /// What a run is asked to do.
    package struct Options: Sendable {
        package var scope: Scope
        /// Bounds what one write transaction and one call of the model hold.
        package var batchSize = 10
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

    /// What a run tells while it works; called from its threads.
    package struct Observer: Sendable {
        /// After each batch.
        package var progress: @Sendable (Progress) -> Void = { _ in }
        /// With the path of the copy of the bot's database, when it was made.
        package var backup: @Sendable (String) -> Void = { _ in }

        package init() {}
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
    package func plan(for space: EmbeddingSpace) throws -> Plan {
        var plan = Plan()
        try visit(space) { surveyed, decision in
            plan.count(decision, surveyed.condition)
            return !stop.isRaised
        }
        return plan
    }

    /// Visits the completed images of the scope until the visitor returns `false`.
    func visit(_ space: EmbeddingSpace, _ visitor: (Catalog.SurveyedImage, Decision) throws -> Bool) throws {
        try catalog.survey(options.scope, model: space.model, space: space) { page in
            for surveyed in page where surveyed.image.isCompleted {
                let decision = Decision(for: surveyed, files: files, policy: policy)
                guard try visitor(surveyed, decision) else { return false }
            }
            return true
        }
    }

    /// Embeds what has to be embedded.
    ///
    /// - Parameters:
    ///   - encoder: The loaded model; it runs on the calling thread.
    ///   - store: Where the vectors go.
    ///   - backup: Copies the bot's database and names the copy.
    /// - Throws: What stopped the run; it is charged to no image, and what was stored stays.
    package func run(
        _ encoder: ImageEncoder,
        plan: Plan,
        store: VectorStore,
        backup: @escaping @Sendable () throws -> String,
        observer: Observer
    ) throws -> Summary {
        let start = ContinuousClock.now
        let progress = Progress(total: options.limit.map { min($0, plan.total) } ?? plan.total)
        let keeper = Keeper(
            store: store,
            progress: progress,
            observer: observer,
            backup: options.makesBackup ? backup : nil
        )
        if plan.replacements > 0 && !stop.isRaised { try keeper.backUp() }
        let pipeline = Pipeline(batchSize: options.batchSize)
        stop.onRaise { pipeline.planned.close() }
        let space = encoder.space
        let preparation = ImagePreparation(
            files: files,
            preprocessing: encoder.preprocessing,
            allowsTruncated: options.allowsTruncated
        )
        let planner = WorkerThread { feed(pipeline, space) }
        let preparers = startPreparers(preparation, pipeline)
        let writer = WorkerThread { write(from: pipeline, keeper) }
        runModel(encoder, pipeline)
        for thread in [planner] + preparers { thread.join() }
        pipeline.batches.close()
        writer.join()
        if let fault = pipeline.fault { throw fault }
        try keeper.finish()
        var summary = keeper.summary
        summary.skipped = plan.skipped
        summary.seconds = (ContinuousClock.now - start) / .seconds(1)
        summary.isInterrupted = stop.isRaised
        return summary
    }

    /// The first stage: pages through the images and hands on what is to be done.
    private func feed(_ pipeline: Pipeline, _ space: EmbeddingSpace) {
        var rest = options.limit ?? .max
        var finished: [ImageRecord] = []
        do {
            try visit(space) { surveyed, decision in
                guard rest > 0, !stop.isRaised else { return false }
                switch decision {
                case .nothing, .skip: return true
                case .publish:
                    finished.append(surveyed.image)
                    if finished.count >= options.batchSize {
                        pipeline.batches.push(.publish(finished))
                        finished = []
                    }
                case .embed:
                    let planned = Pipeline.Planned(
                        image: surveyed.image,
                        isReplacement: surveyed.condition.isReplacement,
                        previousFailure: surveyed.failure
                    )
                    guard pipeline.planned.push(planned) else { return false }
                }
                rest -= 1
                return true
            }
            if !finished.isEmpty { pipeline.batches.push(.publish(finished)) }
        } catch {
            pipeline.fail(error)
        }
        pipeline.planned.close()
    }

    /// Threads that read and decode files: one per core.
    static let preparerCount = max(ProcessInfo.processInfo.activeProcessorCount, 1)

    /// The second stage: a thread per core; the last one to end closes the door behind it.
    private func startPreparers(_ preparation: ImagePreparation, _ pipeline: Pipeline) -> [WorkerThread] {
        let running = Countdown(Self.preparerCount)
        return (0..<Self.preparerCount).map { _ in
            WorkerThread {
                while let planned = pipeline.planned.pop(), !stop.isRaised {
                    let result = Result { () throws(SourceFiles.Fault) in try preparation.prepare(planned.image) }
                    guard pipeline.prepared.push(Pipeline.Prepared(planned: planned, result: result)) else { break }
                }
                if running.isLast() { pipeline.prepared.close() }
            }
        }
    }

    /// The third stage: batches for the model.
    private func runModel(_ encoder: ImageEncoder, _ pipeline: Pipeline) {
        let stage = ModelStage(encoder: encoder, policy: policy)
        var batch: [Pipeline.Prepared] = []
        while pipeline.fault == nil {
            let next = pipeline.prepared.pop()
            if let next { batch.append(next) }
            guard batch.count >= options.batchSize || (next == nil && !batch.isEmpty) else {
                if next == nil { return }
                continue
            }
            do {
                pipeline.batches.push(try stage.embed(batch, stop: stop))
            } catch {
                pipeline.fail(error)
            }
            batch = []
        }
    }

    /// The last stage.
    private func write(from pipeline: Pipeline, _ keeper: Keeper) {
        do {
            while let batch = pipeline.batches.pop() { try keeper.keep(batch) }
        } catch {
            pipeline.fail(error)
        }
    }
}
