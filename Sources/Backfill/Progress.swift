/// How far a run is: counts, and the speed over a moving window.
package struct Progress: Sendable {
    /// Images that the run set out to touch.
    package private(set) var total: Int
    /// Images that were embedded, published, or failed.
    package private(set) var done = 0
    /// Images that failed.
    package private(set) var failed = 0

    private let clock = ContinuousClock()
    private var window: [(instant: ContinuousClock.Instant, done: Int)]
    private static let windowLength = Duration.seconds(15)

    init(total: Int) {
        self.total = total
        window = [(clock.now, 0)]
    }

    mutating func add(done: Int, failed: Int) {
        self.failed += failed
        show(done: self.done + done + failed)
    }

    /// Where several programs share a run: takes what is left of it, whoever does that, so that count and speed are the
    /// whole run's.
    mutating func share(left: Int, failed: Int) {
        self.failed += failed
        total = max(total, done + left)
        show(done: total - left)
    }

    private mutating func show(done: Int) {
        self.done = done
        let now = clock.now
        window.append((now, self.done))
        let start = now - Self.windowLength
        while window.count > 2, window[1].instant <= start { window.removeFirst() }
    }

    /// Images a second over the last quarter of a minute.
    package var rate: Double {
        guard let first = window.first, let last = window.last else { return 0 }
        let seconds = (last.instant - first.instant) / .seconds(1)
        return seconds > 0 ? Double(last.done - first.done) / seconds : 0
    }

    /// Seconds that the rest will take at this rate; `nil` before there is one.
    package var secondsLeft: Double? {
        rate > 0 ? Double(total - done) / rate : nil
    }
}
