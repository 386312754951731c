import Catalog
import FoundationEssentials
import Similarity
import SystemPackage

/// An image, as the API shows it.
///
/// Where its file lies is the owner's business alone.
struct ImagePayload: Encodable {
    let id: Int64
    let created_at: String?
    let chat_id: Int64?
    let chat_title: String?
    let embedded: Bool?

    init(_ image: ImageRecord, _ details: ImageDetails, isEmbedded: Bool? = nil) {
        id = image.id
        created_at = details.createdAt
        chat_id = details.chatID
        chat_title = details.chatTitle
        embedded = isEmbedded
    }
}

/// What a search found.
struct HitsPayload: Encodable {
    struct Hit: Encodable {
        let image: ImagePayload
        let similarity: Double
        let grade: String?
    }

    let model: String
    let hits: [Hit]

    init(_ hits: [(SimilarityService.Hit, TextScale.Grade?)], _ catalog: Catalog, model: String) throws {
        self.model = model
        self.hits = try hits.map { hit, grade in
            Hit(
                image: ImagePayload(hit.image, try catalog.main.details(of: hit.image)),
                similarity: (Double(hit.cosine) * 10_000).rounded() / 10_000,
                grade: grade?.rawValue
            )
        }
    }
}

/// How far images are embedded.
struct StatisticsPayload: Encodable, Sendable {
    let model: String?
    let total_images: Int
    let with_embeddings: Int
    let without_embeddings: Int
    let coverage_percentage: Double
    let stale: Int
    let unreachable: Int
    let failed: Int

    init(_ statistics: Statistics, model: String?) {
        self.model = model
        total_images = statistics.total
        with_embeddings = statistics.embedded
        without_embeddings = statistics.missing
        coverage_percentage = (statistics.coverage * 10).rounded() / 10
        stale = statistics.staleTotal
        unreachable = statistics.unreachable
        failed = statistics.failureTotal
    }
}

/// The bot's own words for one person's images.
struct UserStatisticsPayload: Encodable {
    let user_id: Int64
    let total_images: Int
    let embedded_images: Int
    let embedding_coverage: Double
    let similarity_search_enabled: Bool
    let stale: Int
    let unreachable: Int
    let failed: Int

    init(_ stats: UserSimilarityStats) {
        user_id = stats.userID
        total_images = stats.totalImages
        embedded_images = stats.embeddedImages
        embedding_coverage = (stats.embeddingCoverage * 10).rounded() / 10
        similarity_search_enabled = stats.similaritySearchEnabled
        stale = stats.statistics.staleTotal
        unreachable = stats.statistics.unreachable
        failed = stats.statistics.failureTotal
    }
}

/// Pictures that are the same in some way.
struct DuplicatesPayload: Encodable {
    struct Group: Encodable {
        let kind: String
        let image_ids: [Int64]
        let bytes_freed: Int
    }

    let groups: [Group]

    init(_ groups: [SameGroup]) {
        self.groups = groups.map { group in
            Group(kind: "\(group.sameness)", image_ids: group.images.map(\.id), bytes_freed: group.bytesFreed)
        }
    }
}

/// Images that could not be embedded.
///
/// The reason in words can name files, which are the owner's business.
struct FailuresPayload: Encodable {
    struct Failure: Encodable {
        let image_id: Int64
        let `class`: String
        let attempts: Int
        let message: String?
    }

    let failures: [Failure]

    init(_ failures: [FailureRecord], withMessages: Bool) {
        self.failures = failures.map { failure in
            Failure(
                image_id: failure.imageID,
                class: failure.kind.rawValue,
                attempts: failure.attempts,
                message: withMessages ? failure.message : nil
            )
        }
    }
}
