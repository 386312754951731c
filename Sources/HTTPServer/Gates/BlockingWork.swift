import Dispatch
import Synchronization

/// Where work that blocks (databases, decoders, the model) runs: on threads of its own, a few at a time.
///
/// What waits is bounded: beyond that a request is refused at once, with the advice to come back.
final class BlockingWork: Sendable {
    private let queue = DispatchQueue(label: "answers", attributes: .concurrent)
    private let slots: DispatchSemaphore
    private let waiting = Mutex(0)
    private let largestQueue: Int

    /// - Parameters:
    ///   - width: How much runs at once.
    ///   - largestQueue: How much may wait or run.
    init(width: Int, largestQueue: Int = 64) {
        slots = DispatchSemaphore(value: width)
        self.largestQueue = largestQueue
    }

    /// How much waits or runs.
    var length: Int { waiting.withLock { $0 } }

    /// Runs a piece of work.
    ///
    /// - Throws: `.overloaded` where too much waits, or what the work throws.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try waiting.withLock { count in
            guard count < largestQueue else { throw Problem(.overloaded, "Too many requests at once; ask again.") }
            count += 1
        }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { [slots] in
                slots.wait()
                defer { slots.signal() }
                continuation.resume(with: Result { try work() })
            }
        }
    }
}
