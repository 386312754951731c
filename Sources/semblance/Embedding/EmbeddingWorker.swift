import Backfill
import Catalog
import HTTPServer

/// Gives images their embeddings beside a running server: at once where somebody asks, by and by where the bot has new
/// ones, and all of them as a job.
final class EmbeddingWorker: ImageEmbedder {
    private let settings: Settings
    private let stopping = StopSignal()
    private let lock: SharedRunLock
    private let images: SingleImages
    private let job: BackfillJob
    private let watch: ImageWatch
    private let fault = LastFault()

    /// After so long without progress a backfill counts as stuck.
    private static let patience = Duration.seconds(300)
    /// Images that are embedded before somebody who asks gets a turn.
    private static let batchSize = 8

    init(_ settings: Settings, _ models: LoadedModels, metrics: Metrics) throws {
        self.settings = settings
        let stage = { @Sendable (stage: Backfill.Stage, duration: Duration) in
            metrics.add(stage: stage.rawValue, duration)
        }
        lock = SharedRunLock(beside: try settings.databaseFiles.last)
        images = SingleImages(settings, models, lock: lock, stop: stopping, stage: stage)
        job = BackfillJob(settings, models, lock: lock, stage: stage)
        watch = ImageWatch(settings, policy: try AutoEmbedding(settings), stop: stopping)
    }

    func embed(_ image: Int64) throws -> EmbeddingOutcome {
        switch try images.embed([image], retries: true)[image] {
        case .embedded: .embedded
        case .failed(let failure): .failed(class: failure.kind.rawValue)
        case .notCompleted, .gone, nil: .notCompleted
        }
    }

    func startBackfill() throws -> Bool { try job.start() }
    func cancelBackfill() { job.cancel() }
    var backfill: BackfillState { job.state }

    func lookAround() {
        guard !fault.isResting(at: .now) else { return }
        do {
            try watch.whenSweepIsDue(sweep)
            try embedDue()
            fault.forget()
        } catch let error as CatalogError where error.code == .locked || error.code == .unfinished {
            return
        } catch {
            if fault.keep(error, at: .now) { Console.say("New images are not embedded: \(error)") }
        }
    }

    private func embedDue() throws {
        let due = try watch.dueImages()
        for start in stride(from: 0, to: due.count, by: Self.batchSize) where !stopping.isRaised {
            _ = try images.embed(Array(due[start..<min(start + Self.batchSize, due.count)]), retries: false)
        }
    }

    /// Lets the vectors of deleted images go.
    private func sweep() throws {
        let main = try settings.main(patience: LockPatience(limit: .seconds(5)))
        guard let found = try settings.vectors()?.orphans(by: main), found.count > 0 else { return }
        guard found.isPlausible else {
            Console.say("\(found.count) of \(found.total) vectors are of images that are not in the bot's database.")
            return
        }
        try lock.holding { _ in _ = try settings.vectorsForWriting().removeOrphans(by: main) }
    }

    /// Lets everything that was computed of some images go.
    func forget(_ images: [Int64]) throws {
        try lock.holding { _ in try SQLiteVectorDatabase.forWriting(settings).forget(images) }
    }

    var trouble: String? {
        if let silence = job.silence, silence > Self.patience {
            return "the backfill has made no progress for \(Counts.duration(silence / .seconds(1)))"
        }
        return fault.isStanding ? "new images cannot be embedded; the log says why" : nil
    }

    func stop() {
        stopping.raise()
        job.cancel()
        job.wait()
    }
}
