import Synchronization

/// What last went wrong in work that is done again and again; after it the work rests for a minute, because a damaged
/// model would be read in full each time.
final class LastFault: Sendable {
    private let fault = Mutex<(text: String, at: ContinuousClock.Instant)?>(nil)
    private static let rest = Duration.seconds(60)

    /// Whether something went wrong, and has not gone well since.
    var isStanding: Bool { fault.withLock { $0 != nil } }

    /// Whether the work has to rest still.
    func isResting(at now: ContinuousClock.Instant) -> Bool {
        fault.withLock { $0.map { now - $0.at <= Self.rest } ?? false }
    }

    /// Keeps what went wrong.
    ///
    /// - Returns: Whether it is another fault than the one before.
    func keep(_ error: any Error, at now: ContinuousClock.Instant) -> Bool {
        fault.withLock { fault in
            defer { fault = ("\(error)", now) }
            return fault?.text != "\(error)"
        }
    }

    /// The work went well.
    func forget() { fault.withLock { $0 = nil } }
}
