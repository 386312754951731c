/// How long to wait after trouble: from one second doubling to a minute, with full jitter.
struct Backoff: Sendable {
    private var attempts = 0

    init(attempts: Int = 0) { self.attempts = attempts }

    /// The next wait, in seconds.
    mutating func next() -> Double {
        defer { attempts += 1 }
        return .random(in: 0.2...min(60, Double(1 << min(attempts, 6))))
    }

    mutating func reset() { attempts = 0 }
}
