import Synchronization

/// How many requests each key may send in a minute; thumbnails count as well, and a page of the gallery shows sixty.
final class RateLimit: Sendable {
    /// What one key has sent.
    private struct Minute {
        var start: ContinuousClock.Instant
        var count = 0
    }

    private let perMinute: Int
    private let minutes = Mutex([Access.Caller: Minute]())

    init(perMinute: Int = 1200) { self.perMinute = perMinute }

    /// Counts a request.
    ///
    /// - Throws: `.tooMany` where there were too many since the minute began.
    func count(_ caller: Access.Caller, now: ContinuousClock.Instant = .now) throws {
        try minutes.withLock { minutes in
            var minute = minutes[caller] ?? Minute(start: now)
            if now - minute.start >= .seconds(60) { minute = Minute(start: now) }
            minute.count += 1
            minutes[caller] = minute
            guard minute.count <= perMinute else {
                throw Problem(.tooMany, "More than \(perMinute) requests of one key in a minute; wait a little.")
            }
        }
    }
}
