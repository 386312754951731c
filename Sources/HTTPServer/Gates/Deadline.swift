/// A limit on how long somebody else may take.
enum Deadline {
    /// Does something, or gives up.
    ///
    /// - Throws: `.tooSlow`, or what the work throws.
    static func limit<Value: Sendable>(
        _ duration: Duration,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: duration)
                throw Problem(.tooSlow, "The request took too long to arrive.")
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
