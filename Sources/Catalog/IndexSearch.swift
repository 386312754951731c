package import Vectors

/// A search of one scope through the index.
package struct IndexSearch: Sendable {
    private let vectors: any VectorDatabase
    private let space: StoredSpace
    /// The images of the scope; `nil` for all.
    private let images: [Int64]?

    fileprivate init(_ vectors: any VectorDatabase, _ space: StoredSpace, images: [Int64]?) {
        self.vectors = vectors
        self.space = space
        self.images = images
    }

    /// The best matches by exact cosine, of equal ones the lower image's id; `nil` where the index cannot tell for sure.
    ///
    /// The index ranks by arithmetic of its own and breaks ties as it likes. So more are taken than are wanted, and their
    /// cosines computed exactly, until the last one taken is clearly worse than the last one wanted.
    package func nearest(to query: Embedding, limit: Int) throws(CatalogError) -> [TopMatches.Match]? {
        guard query.dimension == space.space.dimension else { return [] }
        var count = limit + 16
        while count <= Self.largestCount {
            let found = try vectors.nearest(to: query, count: count, in: space, images: images)
            var best = TopMatches(limit: limit)
            var lowest = Float.infinity
            for (image, blob) in found {
                guard case .embedding(let embedding) = EmbeddingBlob.read(blob), embedding.dimension == query.dimension
                else {
                    return nil
                }
                let score = query.cosine(to: embedding)
                lowest = min(lowest, score)
                best.offer(.init(id: image, score: score))
            }
            if found.count < count || lowest < best.bar - Self.tolerance { return best.sorted }
            count *= 4
        }
        return nil
    }

    /// By sqlite-vec's own rule.
    private static let largestCount = 4096
    /// More than the two ways to compute a cosine in floats differ by.
    private static let tolerance: Float = 1e-4
}

extension Catalog {
    /// A search through the index; `nil` where there is none, or it is not whole.
    package func indexSearch(
        in space: StoredSpace,
        _ scope: Scope
    ) throws(CatalogError) -> IndexSearch? {
        guard let vectors, case .loaded = vectors.indexExtension,
            try vectors.hasWholeIndex(of: space)
        else { return nil }
        return IndexSearch(vectors, space, images: try images(of: scope))
    }
}
