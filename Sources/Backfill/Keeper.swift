import Catalog
import Synchronization

/// The last stage of a run: stores batches, counts, and tells the observer.
final class Keeper: Sendable {
    private let store: VectorStore
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
        store: VectorStore,
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

    /// Writes one batch.
    func keep(_ batch: Pipeline.Batch) throws {
        let progress: Progress
        switch batch {
        case .publish(let images):
            let vanished = try store.publish(images)
            progress = state.withLock { state in
                state.summary.published += images.count - vanished.count
                state.summary.vanished += vanished.count
                state.progress.add(done: images.count, failed: 0)
                return state.progress
            }
        case .store(let vectors, let failures):
            if vectors.contains(where: \.isReplacement) { try backUp() }
            let vanished = try store.store(vectors, failures: failures)
            let stored = vectors.filter { !vanished.contains($0.image.id) }
            progress = state.withLock { state in
                state.summary.replaced += stored.count { $0.isReplacement }
                state.summary.embedded += stored.count { !$0.isReplacement }
                state.summary.vanished += vanished.count
                for failure in failures { state.summary.failed[failure.kind, default: 0] += 1 }
                state.progress.add(done: vectors.count, failed: failures.count)
                return state.progress
            }
        }
        observer.progress(progress)
    }

    /// Ends the run in the database.
    func finish() throws { try store.finish() }
}
