package import Catalog
package import Vectors

/// A way to rank the vectors of a space; all ways give the same answers.
package protocol NearestSearch: Sendable {
    /// Prepares to rank the vectors of the images of a scope.
    ///
    /// - Returns: For a query, the best so many matches by exact cosine, of equal ones the lower image's id first; fewer
    ///   where there are no more. The ids are images'.
    func ranking(_ scope: Scope) throws -> (_ query: Embedding, _ limit: Int) throws -> [TopMatches.Match]

    /// Catches up with whatever a search does not notice by itself.
    func synchronise() throws
}

extension NearestSearch {
    package func synchronise() throws {}
}
