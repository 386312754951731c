package import Catalog
import Dispatch
import Synchronization
package import Vectors

/// Finds the images that look like one.
///
/// One space only; whose images may be found is decided before anything is compared; every hit is checked against the
/// bot's own row before it leaves: an image that was deleted, exchanged, handed to another chat, or whose vector somebody
/// overwrote is no answer.
package struct SimilarityService: Sendable {
    let catalog: Catalog
    /// The space that is searched.
    package let space: StoredSpace
    let search: any NearestSearch

    /// Cosine from which on two pictures count as alike, unless somebody says otherwise.
    package static let usualThreshold: Float = 0.7
    /// How many are found, unless somebody says otherwise.
    package static let usualLimit = 5
    /// The most that can be asked for.
    package static let largestLimit = 1000

    /// - Parameter search: How vectors are ranked; by default as they lie in our database, without the index.
    package init(_ catalog: Catalog, space: StoredSpace, search: (any NearestSearch)? = nil) {
        self.catalog = catalog
        self.space = space
        self.search = search ?? StoredSearch(catalog, space: space, usesIndex: false)
    }

    /// Catches up with whatever a search does not notice by itself.
    package func synchronise() throws { try search.synchronise() }

    /// An image that was found.
    package struct Hit: Sendable {
        package let image: ImageRecord
        /// −1…1.
        package let cosine: Float
    }

    /// The images nearest to a vector, nearest first, of equal ones the lower id.
    ///
    /// - Parameters:
    ///   - excluded: An image that is no answer, such as the one that is asked about.
    ///   - limit: Exactly so many are found where so many qualify.
    ///   - threshold: The least cosine.
    package func findSimilarImages(
        to query: Embedding,
        excluding excluded: Int64? = nil,
        scope: Scope,
        limit: Int = usualLimit,
        threshold: Float = usualThreshold
    ) throws -> [Hit] {
        guard limit > 0 else { return [] }
        let rank = try search.ranking(scope)
        var wanted = limit + 16
        while true {
            let ranked = try rank(query, wanted)
            let candidates = ranked.filter { $0.id != excluded && $0.score >= threshold }
            let confirmed = try catalog.confirmed(candidates.map(\.id), in: space, scope)
            let hits = candidates.compactMap { match in
                confirmed[match.id].map { Hit(image: $0, cosine: match.score) }
            }
            let isEverything = ranked.count < wanted || (ranked.last?.score ?? threshold) < threshold
            if hits.count >= limit || isEverything { return Array(hits.prefix(limit)) }
            wanted *= 4
        }
    }

    /// Exact search: the rows are shared among the cores.
    package static func nearest(to query: Embedding, in vectors: VectorMatrix, limit: Int) -> [TopMatches.Match] {
        let pieceLength = 16_384
        let pieces = (vectors.count + pieceLength - 1) / pieceLength
        let best = Mutex(TopMatches(limit: limit))
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let rows = (piece * pieceLength)..<min((piece + 1) * pieceLength, vectors.count)
            let matches = vectors.nearest(to: query, in: rows, limit: limit)
            best.withLock { $0.merge(matches) }
        }
        return best.withLock { $0.sorted }
    }
}
