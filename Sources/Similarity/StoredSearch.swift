package import Catalog
package import Vectors

/// Ranks the vectors as our database holds them: through the index where it is whole, or one by one.
///
/// For a program that asks one question and ends.
package struct StoredSearch: NearestSearch {
    private let catalog: Catalog
    private let space: StoredSpace
    private let usesIndex: Bool

    /// - Parameter usesIndex: Whether the index may be used.
    package init(_ catalog: Catalog, space: StoredSpace, usesIndex: Bool) {
        self.catalog = catalog
        self.space = space
        self.usesIndex = usesIndex
    }

    package func ranking(_ scope: Scope) throws -> (Embedding, Int) throws -> [TopMatches.Match] {
        let scan = try Scan(catalog, space, scope)
        guard usesIndex, let index = try catalog.indexSearch(in: space, scope) else { return scan.rank }
        return { query, limit in try index.nearest(to: query, limit: limit) ?? scan.rank(query, limit) }
    }

    /// The vectors of a scope, read when they are needed.
    private final class Scan {
        private lazy var vectors = Result { try catalog.searchableVectors(in: space, scope) }
        private let catalog: Catalog
        private let space: StoredSpace
        private let scope: Scope

        init(_ catalog: Catalog, _ space: StoredSpace, _ scope: Scope) throws {
            self.catalog = catalog
            self.space = space
            self.scope = scope
        }

        func rank(_ query: Embedding, _ limit: Int) throws -> [TopMatches.Match] {
            let vectors = try vectors.get()
            return SimilarityService.nearest(to: query, in: vectors, limit: min(limit, vectors.count))
        }
    }
}
