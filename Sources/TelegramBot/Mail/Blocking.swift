import Dispatch

/// Runs work that blocks (databases, decoders, the model) on a thread of its own; how much there is at once the lanes
/// decide.
func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
    }
}
