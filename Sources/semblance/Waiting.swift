import Dispatch
import Synchronization

/// The bridge from a command, which is plain code on the main thread, to what can only be awaited.
enum Waiting {
    /// Runs asynchronous work and waits for its end.
    static func `for`<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Value, any Error>?>(nil)
        Task {
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        guard let outcome = result.withLock({ $0 }) else { preconditionFailure("the work ended without a result") }
        return try outcome.get()
    }
}
