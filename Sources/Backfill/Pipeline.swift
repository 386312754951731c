import Catalog
import Synchronization
import Vectors

/// The queues between the stages of a run, and the first fault that ends it.
final class Pipeline: Sendable {
    /// An image that is to be embedded.
    struct Planned: Sendable {
        let image: ImageRecord
        let isReplacement: Bool
        let previousFailure: FailureRecord?
        /// Its vector, where it need not be computed.
        let known: KnownVector?
    }

    /// A vector that is there already.
    struct KnownVector: Sendable {
        let embedding: Embedding
        /// The SHA-256 that the file must have for the vector to be right; `nil` where nobody knows.
        let sourceDigest: [UInt8]?
        let origin: NewVector.Origin
    }

    /// An image that is ready for the model, or never will be.
    struct Prepared: Sendable {
        let planned: Planned
        let result: Result<ImagePreparation.Prepared, SourceFiles.Fault>
    }

    /// What is to be written about one image.
    enum Outcome: Sendable {
        case embedded(NewVector)
        case failed(FailureRecord)
        /// Nothing; what has gathered is written without waiting for more.
        case flush

        /// Whether it is nothing.
        var isFlush: Bool {
            if case .flush = self { return true }
            return false
        }
    }

    /// A few pages ahead, so that a slow file does not stop the others.
    let planned = BoundedQueue<Planned>(capacity: 64)
    /// One call ahead of each thread of the model: a prepared picture takes 600 kB.
    let prepared: BoundedQueue<Prepared>
    /// Two batches may wait for the disk or for the bot's lock; more would only take memory.
    let outcomes: BoundedQueue<Outcome>
    /// The processor time that the stages took.
    let times = Mutex(ProcessorTimes())
    private let observe: @Sendable (Backfill.Stage, Duration) -> Void
    private let firstFault = Mutex<(any Error)?>(nil)

    init(batchSize: Int, preparedCount: Int, observe: @escaping @Sendable (Backfill.Stage, Duration) -> Void) {
        self.observe = observe
        prepared = BoundedQueue(capacity: preparedCount)
        outcomes = BoundedQueue(capacity: 2 * batchSize)
    }

    /// What ended the run, if anything did.
    var fault: (any Error)? { firstFault.withLock { $0 } }

    /// Ends the run: the queues take nothing more.
    func fail(_ error: any Error) {
        firstFault.withLock { $0 = $0 ?? error }
        planned.close()
        prepared.close()
        outcomes.close()
    }

    /// Does a piece of a stage's work, tells how long it took, and adds up the processor time of the calling thread.
    func timing<Value>(_ stage: Backfill.Stage, _ work: () throws -> Value) rethrows -> Value {
        let (start, spent) = (ContinuousClock.now, ProcessorTimes.ofThread)
        defer {
            times.withLock { $0.add(ProcessorTimes.ofThread - spent, to: stage) }
            observe(stage, ContinuousClock.now - start)
        }
        return try work()
    }
}
