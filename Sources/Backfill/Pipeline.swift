import Catalog
import Synchronization

/// The queues between the stages of a run, and the first fault that ends it.
final class Pipeline: Sendable {
    /// An image that is to be embedded.
    struct Planned: Sendable {
        let image: ImageRecord
        let isReplacement: Bool
        let previousFailure: FailureRecord?
    }

    /// An image that is ready for the model, or never will be.
    struct Prepared: Sendable {
        let planned: Planned
        let result: Result<ImagePreparation.Prepared, SourceFiles.Fault>
    }

    /// What is to be written in one transaction.
    enum Batch: Sendable {
        case store([NewVector], [FailureRecord])
        case publish([ImageRecord])
    }

    /// A few batches ahead, so that a slow file does not stop the others.
    let planned: BoundedQueue<Planned>
    /// One batch ahead of the model.
    let prepared: BoundedQueue<Prepared>
    /// Two batches may wait for the disk or for the bot's lock; more would only take memory.
    let batches: BoundedQueue<Batch>
    private let firstFault = Mutex<(any Error)?>(nil)

    init(batchSize: Int) {
        planned = BoundedQueue(capacity: 4 * batchSize)
        prepared = BoundedQueue(capacity: max(batchSize, 8))
        batches = BoundedQueue(capacity: 2)
    }

    /// What ended the run, if anything did.
    var fault: (any Error)? { firstFault.withLock { $0 } }

    /// Ends the run: the queues take nothing more.
    func fail(_ error: any Error) {
        firstFault.withLock { $0 = $0 ?? error }
        planned.close()
        prepared.close()
        batches.close()
    }
}
