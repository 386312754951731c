import Synchronization

/// How much of each person is worked on: a bucket of tokens that fills steadily.
final class Allowance: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: Double
        var toldAt: Double?
    }

    private let perMinute: Double
    private let buckets = Mutex([Int64: Bucket]())
    /// Buckets that are kept; full ones go first.
    private static let capacity = 10_000

    init(perMinute: Int) { self.perMinute = Double(perMinute) }

    /// What somebody gets.
    enum Verdict: Equatable, Sendable {
        case go
        /// In so many seconds; `isNews` once a minute.
        case wait(Double, isNews: Bool)
    }

    /// Takes a token of a person.
    func take(_ person: Int64, now: Double) -> Verdict {
        buckets.withLock { buckets in
            var bucket = buckets[person] ?? Bucket(tokens: perMinute, at: now)
            bucket.tokens = min(perMinute, bucket.tokens + max(now - bucket.at, 0) * perMinute / 60)
            bucket.at = now
            defer {
                buckets[person] = bucket
                if buckets.count > Self.capacity { buckets = buckets.filter { now - $0.value.at < 60 } }
            }
            guard bucket.tokens < 1 else {
                bucket.tokens -= 1
                return .go
            }
            let isNews = bucket.toldAt.map { now - $0 >= 60 } ?? true
            if isNews { bucket.toldAt = now }
            return .wait((1 - bucket.tokens) * 60 / perMinute, isNews: isNews)
        }
    }
}
