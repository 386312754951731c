package import Catalog
import Vectors

/// What the bot tells a person about the search among their images; the first five fields under the bot's own names.
package struct UserSimilarityStats: Sendable, Equatable {
    /// The Telegram id.
    package let userID: Int64
    /// Completed images.
    package let totalImages: Int
    /// Those that can be found.
    package let embeddedImages: Int
    /// Percent of the completed images.
    package let embeddingCoverage: Double
    /// Whether there is anything to find: an image and another one that it could resemble.
    package let similaritySearchEnabled: Bool
    /// Everything that was counted: what is stale, unreachable, failed.
    package let statistics: Statistics
}

extension SimilarityService {
    /// Counts a person's images.
    ///
    /// - Parameter isReachable: Whether a file of an image can be had.
    package func getUserSimilarityStats(
        _ userID: Int64,
        isReachable: (Catalog.SurveyedImage) -> Bool = { _ in true }
    ) throws -> UserSimilarityStats {
        let statistics = try catalog.statistics(
            .user(userID),
            model: space.space.model,
            space: space,
            isReachable: isReachable
        )
        let found = statistics.embedded + statistics.unpublished
        return UserSimilarityStats(
            userID: userID,
            totalImages: statistics.total,
            embeddedImages: found,
            embeddingCoverage: statistics.total == 0 ? 0 : 100 * Double(found) / Double(statistics.total),
            similaritySearchEnabled: found > 1,
            statistics: statistics
        )
    }
}
