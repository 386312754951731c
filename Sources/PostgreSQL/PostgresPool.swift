import Glibc
import Synchronization

/// Connections to one database, lent to one thread at a time and made when they are needed.
///
/// What fails for a reason that passes (the server restarts, a deadlock, no connection left) is tried again after random
/// pauses that grow to thirty seconds, as long as the pool's patience lasts.
package final class PostgresPool: Sendable {
    private let address: PostgresAddress
    private let patience: Duration
    private let isAbandoned: @Sendable () -> Bool
    private let announce: @Sendable (PostgresError) -> Void
    private let idle = Mutex<[PostgresConnection]>([])
    /// More than these are closed when they come back.
    private static let mostIdle = 8

    /// - Parameters:
    ///   - patience: How long what may pass is waited for.
    ///   - isAbandoned: Whether waiting has no sense any more, since the program is to end.
    ///   - announce: Told once per wait why there is one.
    package init(
        _ address: PostgresAddress,
        patience: Duration = .seconds(5),
        isAbandoned: @escaping @Sendable () -> Bool = { false },
        announce: @escaping @Sendable (PostgresError) -> Void = { _ in }
    ) {
        self.address = address
        self.patience = patience
        self.isAbandoned = isAbandoned
        self.announce = announce
    }

    /// Lends a connection for statements that may be run again where they failed for a reason that passes.
    package func withConnection<Value>(_ work: (PostgresConnection) throws -> Value) throws -> Value {
        try retrying { try once(work) }
    }

    /// Runs a transaction, again where it failed for a reason that passes and certainly was not committed.
    ///
    /// - Parameter settle: Asked, on another connection, whether a transaction was committed whose outcome is unknown;
    ///   `nil` where it was not, and is run again.
    package func transaction<Value>(
        settle: (PostgresConnection) throws -> Value?,
        _ work: (PostgresConnection) throws -> Value
    ) throws -> Value {
        try retrying {
            do {
                return try once { try $0.transaction(work) }
            } catch let error as PostgresError where error.code == .outcomeUnknown {
                if let value = try retrying({ try once(settle) }) { return value }
                throw PostgresError(.unreachable, error.description, state: error.state)
            }
        }
    }

    /// Runs a transaction whose repetition changes nothing.
    package func transaction<Value>(_ work: (PostgresConnection) throws -> Value) throws -> Value {
        try transaction(settle: { _ in nil }, work)
    }

    private func once<Value>(_ work: (PostgresConnection) throws -> Value) throws -> Value {
        let connection = try idle.withLock { $0.popLast() } ?? PostgresConnection(address)
        defer {
            if connection.isUsable {
                idle.withLock { if $0.count < Self.mostIdle { $0.append(connection) } }
            } else {
                // Where one was lost, so were the others.
                idle.withLock { $0.removeAll() }
            }
        }
        return try work(connection)
    }

    private func retrying<Value>(_ work: () throws -> Value) throws -> Value {
        let start = ContinuousClock.now
        var ceiling = 0.1
        var attempt = 0
        while true {
            do {
                return try work()
            } catch let error as PostgresError where error.isPassing {
                // Whoever was asleep for longer than that gets a second try all the same.
                guard ContinuousClock.now - start < patience || attempt == 0, !isAbandoned() else { throw error }
                if attempt == 0 { announce(error) }
                attempt += 1
                pause(.random(in: 0...ceiling))
                ceiling = min(ceiling * 2, 30)
            }
        }
    }

    /// Sleeps in small steps, so that the end of the program is not waited for.
    private func pause(_ seconds: Double) {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end, !isAbandoned() { usleep(20_000) }
    }
}
