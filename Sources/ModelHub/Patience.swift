/// How long a pull bears with a hub.
package struct Patience: Sendable {
    /// Interruptions without progress between them, after which it gives up.
    package var attempts = 6
    /// Bytes that count as progress.
    package var progress = 65_536
    /// Seconds before the second attempt; doubled before each further one.
    package var firstWait = 0.5
    /// The longest wait in seconds, whatever the hub asks for.
    package var longestWait = 300.0
    /// In this many seconds at least `progress` bytes must come.
    package var slowWindow = 30.0

    package init() {}

    /// Does something again after each interruption, until it succeeds or has been interrupted too often.
    ///
    /// - Parameter count: The bytes that are there so far.
    func retrying<Value>(progress count: () -> Int, _ work: () async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            let before = count()
            do {
                return try await work()
            } catch let interruption as Interruption {
                failures = count() - before >= progress ? 1 : failures + 1
                guard failures < attempts else {
                    throw HubError(interruption.isBusy ? .tryLater : .unavailable, interruption.reason)
                }
                let wait = interruption.wait ?? firstWait * Double(1 << (failures - 1))
                try await Task.sleep(for: .seconds(min(max(wait, 0), longestWait)))
            }
        }
    }
}

/// A fault that may pass: the transfer goes on from where it is after a while.
struct Interruption: Error {
    var reason: String
    /// The seconds that the hub asked us to wait.
    var wait: Double?
    var isBusy = false
}
