import Dispatch
import Synchronization

/// A value that is computed on a thread of its own while the caller goes on.
final class Background<Value: Sendable>: Sendable {
    private let done = DispatchGroup()
    private let result = Mutex<Value?>(nil)

    /// Starts the work.
    init(_ work: @escaping @Sendable () -> Value) {
        DispatchQueue.global().async(group: done) { [self] in
            let value = work()
            result.withLock { $0 = value }
        }
    }

    /// The value; waits for it.
    var value: Value {
        done.wait()
        guard let value = result.withLock({ $0 }) else { preconditionFailure("the work ended without a value") }
        return value
    }
}
