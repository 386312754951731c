import Catalog
import FoundationEssentials

/// What `stats` prints: for people in the words of the bot's own script, for programs as JSON.
struct StatisticsReport: Encodable {
    let statistics: Statistics
    let scope: Scope
    /// The model that answers come from.
    let model: String
    /// The model that the settings name.
    let wanted: String
    /// How far another space than the active one is, where one is being filled.
    let gathered: Statistics?

    private enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case model
        case total = "total_images"
        case embedded = "with_embeddings"
        case missing = "without_embeddings"
        case coverage = "coverage_percentage"
        case embeddable = "embeddable_percentage"
        case stale, unpublished, unreachable, failed, gathering
        case ownerless = "without_owner"
        case notCompleted = "not_completed"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        if case .user(let id) = scope { try values.encode(id, forKey: .userID) }
        try values.encode(model, forKey: .model)
        try values.encode(statistics.total, forKey: .total)
        try values.encode(statistics.embedded, forKey: .embedded)
        try values.encode(statistics.missing, forKey: .missing)
        try values.encode(Counts.rounded(statistics.coverage), forKey: .coverage)
        try values.encode(Counts.rounded(statistics.reachableShare), forKey: .embeddable)
        try values.encode(Counts.named(statistics.stale), forKey: .stale)
        try values.encode(statistics.unpublished, forKey: .unpublished)
        try values.encode(statistics.unreachable, forKey: .unreachable)
        try values.encode(Counts.named(statistics.failures), forKey: .failed)
        try values.encode(statistics.ownerless, forKey: .ownerless)
        try values.encode(statistics.notCompleted, forKey: .notCompleted)
        try values.encodeIfPresent(
            gathered.map {
                Gathering(model: wanted, with_embeddings: $0.embedded, coverage_percentage: Counts.rounded($0.coverage))
            },
            forKey: .gathering
        )
    }

    /// How far the space beside the active one is, as JSON tells it.
    private struct Gathering: Encodable {
        let model: String
        let with_embeddings: Int
        let coverage_percentage: Double
    }

    /// The lines for people.
    var lines: [String] {
        [
            "📊 Embedding Statistics",
            String(repeating: "=", count: 40),
            scopeLine,
            "Total completed images: \(statistics.total)",
            "Images with embeddings: \(statistics.embedded)",
            "Images without embeddings: \(statistics.missing)",
            "Coverage: \(Self.percent(statistics.coverage))",
        ] + details + ["", advice]
    }

    private var scopeLine: String {
        switch scope {
        case .allUsers: "Scope: All users"
        case .user(let id): "User ID: \(id)"
        case .chat(let id): "Chat: \(id)"
        }
    }

    private var details: [String] {
        var lines: [String] = []
        func add(_ name: String, _ count: Int, _ reasons: String = "") {
            if count > 0 { lines.append("\(name): \(count)\(reasons)") }
        }
        add("Stale embeddings", statistics.staleTotal, Counts.parenthesised(statistics.stale))
        add("Computed, not yet in the bot's database", statistics.unpublished)
        add("Unreachable files", statistics.unreachable)
        add("Recorded failures", statistics.failureTotal, Counts.parenthesised(statistics.failures))
        if statistics.unreachable + statistics.failureTotal > 0 {
            lines.append("Could ever be embedded: \(Self.percent(statistics.reachableShare))")
        }
        add("Damaged places of the database, passed over", statistics.passedOver)
        if let gathered {
            lines.append(
                "Gathered beside them, of \(wanted): \(gathered.embedded) (\(Self.percent(gathered.coverage)))"
            )
        }
        add("Of nobody known, counted above", statistics.ownerless)
        add("Not completed by the bot, not counted above", statistics.notCompleted)
        return lines
    }

    private var advice: String {
        if model != wanted {
            return "Answers come from \(model); run semblance generate --all-users to gather those of \(wanted)."
        }
        let open = statistics.missing - statistics.unreachable - statistics.failureTotal
        let option: String
        switch scope {
        case .allUsers: option = "--all-users"
        case .user(let id): option = "--user-id \(id)"
        case .chat: option = "--all-users"
        }
        if statistics.total == 0 {
            return scope == .allUsers
                ? "The database holds no completed images: send the bot some, or run semblance import."
                : "This user has no completed images."
        }
        if open > 0 { return "Run semblance generate \(option) to embed \(Counts.images(open))." }
        if statistics.failureTotal > 0 {
            return
                "Nothing is left but recorded failures; semblance generate \(option) --retry-failed tries them again."
        }
        return statistics.unreachable > 0
            ? "Nothing is left but images without a file; put the files back, then run semblance generate \(option)."
            : "Every completed image has an embedding of \(model)."
    }

    private static func percent(_ value: Double) -> String { Counts.decimal(value) + "%" }
}
