import Catalog
import Synchronization
import Vectors

/// The last stage of a run: stores batches, counts, and tells the observer.
final class Keeper: Sendable {
    private let store: any VectorStore
    private let observer: Backfill.Observer
    private let backup: (@Sendable () throws -> String)?
    private let state: Mutex<State>

    private struct State {
        var summary = Summary()
        var progress: Progress
        var isBackedUp = false
    }

    /// - Parameter backup: Copies the bot's database; `nil` where the user wants no copy.
    init(
        store: any VectorStore,
        progress: Progress,
        observer: Backfill.Observer,
        backup: (@Sendable () throws -> String)?
    ) {
        self.store = store
        self.observer = observer
        self.backup = backup
        state = Mutex(State(progress: progress))
    }

    /// What was done so far.
    var summary: Summary { state.withLock { $0.summary } }

    /// Copies the bot's database, once in a run.
    func backUp() throws {
        guard let backup, !state.withLock({ $0.isBackedUp }) else { return }
        observer.backup(try backup())
        state.withLock { $0.isBackedUp = true }
    }

    /// Writes a batch of what the pipeline gave.
    func keep(_ batch: [Pipeline.Outcome]) throws {
        var vectors: [NewVector] = []
        var failures: [FailureRecord] = []
        for outcome in batch {
            switch outcome {
            case .embedded(let vector): vectors.append(vector)
            case .failed(let failure): failures.append(failure)
            case .flush: break
            }
        }
        if !vectors.isEmpty || !failures.isEmpty { try store(vectors, failures) }
    }

    /// Writes vectors that are ours already into the bot's database.
    func publish(_ images: [Catalog.SurveyedImage]) throws {
        guard !images.isEmpty else { return }
        if images.contains(where: \.holdsOthers) { try backUp() }
        let vanished = try store.publish(images.map(\.image))
        count(done: images.count, failed: 0) { summary in
            summary.published += images.count - vanished.count
            summary.vanished += vanished.count
        }
    }

    private func store(_ vectors: [NewVector], _ failures: [FailureRecord]) throws {
        if store.isActive, vectors.contains(where: \.isReplacement) { try backUp() }
        let vanished = try store.store(vectors, failures: failures)
        count(done: vectors.count, failed: failures.count) { summary in
            for vector in vectors where !vanished.contains(vector.image.id) {
                switch vector.origin {
                case .new: summary.embedded += 1
                case .replacement: summary.replaced += 1
                case .adopted: summary.adopted += 1
                case .described: summary.described += 1
                }
            }
            summary.vanished += vanished.count
            for failure in failures { summary.failed[failure.kind, default: 0] += 1 }
        }
    }

    private func count(done: Int, failed: Int, _ add: (inout Summary) -> Void) {
        let left = store.queue.flatMap { try? $0.count() }
        let progress = state.withLock { state in
            add(&state.summary)
            if let left {
                state.progress.share(left: left, failed: failed)
            } else {
                state.progress.add(done: done, failed: failed)
            }
            return state.progress
        }
        observer.progress(progress)
    }

    /// Ends the run in the database.
    func finish() throws { try store.finish() }
}

extension NewVector {
    /// Whether other bytes are put in the place of something in the bot's database.
    fileprivate var isReplacement: Bool {
        switch origin {
        case .replacement: true
        case .new, .described: false
        case .adopted: image.stored != .blob(EmbeddingBlob(embedding).bytes)
        }
    }
}
