import Catalog
import HTTPTypes
import Vectors

/// What `/health` says: the shape that the bot's own health check has, and more.
struct Health: Encodable, Sendable {
    /// How well it goes.
    enum Status: String, Encodable, Sendable {
        /// All is there.
        case healthy
        /// Something is missing, and what is there works.
        case degraded
        /// The bot's database cannot be read.
        case unhealthy
    }

    /// How many rows the bot's tables have.
    struct Rows: Encodable, Sendable {
        let users: Int
        let chats: Int
        let images: Int
    }

    /// The state of our database's active space.
    struct Space: Sendable {
        let model: String?
        let hasIndex: Bool
        let isModelHere: Bool
    }

    let status: Status
    /// Why it is not healthy.
    let reasons: [String]
    private let service = "telegram-agent"
    private let database: String
    private let stats: Rows?
    private let embedding_stats: StatisticsPayload?
    private let space: String?
    private let version: String
    private let uptime_seconds: Double
    /// How long ago the databases were looked at.
    private let age_seconds: Double
    private let checks: [String: String]

    init(
        version: String,
        uptime: Double,
        age: Double,
        isAnswering: Bool,
        rows: Result<Rows, any Error>?,
        statistics: Result<Statistics, any Error>?,
        space found: Result<Space, any Error>?,
        isModelTrue: Bool?,
        trouble: String?,
        companion: [String: String] = [:]
    ) {
        self.version = version
        uptime_seconds = (uptime * 10).rounded() / 10
        age_seconds = (age * 10).rounded() / 10
        let counted = try? statistics?.get()
        let space = try? found?.get()
        stats = try? rows?.get()
        self.space = space?.model
        embedding_stats = counted.map { StatisticsPayload($0, model: space?.model) }
        let isLocked = Self.isLocked(rows)
        let isGone = rows != nil && stats == nil && !isLocked
        database =
            isGone ? "unavailable" : isLocked ? "locked" : stats != nil && isAnswering ? "connected" : "not answering"
        checks = [
            "database": database == "connected" ? "ok" : database,
            "vector_database": space == nil ? "cannot be read" : space?.model == nil ? "holds nothing yet" : "ok",
            "index": space?.hasIndex == true ? "ok" : "missing or not whole",
            "model": space?.isModelHere != true
                ? "not here"
                : isModelTrue == false
                    ? "cannot be loaded, or gives other vectors than when its space was begun" : "ok",
            "embedding": trouble ?? "ok",
        ].merging(companion) { $1 }
        reasons = checks.filter { $0.value != "ok" }.map { "\($0.key): \($0.value)" }.sorted()
        status = isGone ? .unhealthy : reasons.isEmpty ? .healthy : .degraded
    }

    /// Whether another program holds the database, which will pass.
    private static func isLocked(_ rows: Result<Rows, any Error>?) -> Bool {
        guard case .failure(let error as CatalogError) = rows else { return false }
        return error.code == .locked || error.code == .unfinished
    }

    /// What somebody without a key is told.
    struct Public: Encodable {
        let status: Status
    }

    /// The status of the answer.
    var httpStatus: HTTPResponse.Status { status == .unhealthy ? .serviceUnavailable : .ok }
}

extension Health.Space {
    /// Looks at our database.
    init(_ library: AnswerLibrary) throws {
        let catalog = try library.catalog()
        let space = try catalog.vectors?.activeSpace()
        model = space?.space.model
        hasIndex = try space.map { try catalog.indexSearch(in: $0, .allUsers) != nil } ?? false
        isModelHere = library.sources.isModelHere(space?.space)
    }
}
