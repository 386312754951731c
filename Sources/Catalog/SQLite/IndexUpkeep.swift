import GRDB
package import Vectors

extension SQLiteVectorDatabase {
    /// The vectors that are indexed in one transaction.
    private static let indexBatch = 1000

    /// Brings a space's index up to date: adds what it lacks and removes what it has too much of, in short transactions.
    ///
    /// - Parameter progress: Gets how many vectors were added.
    /// - Returns: How many rows had to be added or removed.
    @discardableResult
    package func reconcileIndex(
        of space: StoredSpace,
        progress: (_ added: Int) -> Void = { _ in }
    ) throws(CatalogError) -> Int {
        let index = VectorIndex(space)
        let removed = try write { try index.prepare($0) }
        var added = 0
        var last: Int64 = .min
        while let batch = try write({ try index.addMissing(after: last, count: Self.indexBatch, $0) }) {
            last = batch.last
            added += batch.count
            progress(added)
        }
        return removed + added
    }

    /// Makes a space's index anew.
    ///
    /// Until it is whole again, searches look at the vectors themselves.
    package func rebuildIndex(
        of space: StoredSpace,
        progress: (_ added: Int) -> Void
    ) throws(CatalogError) {
        try write { try VectorIndex(space).drop($0) }
        try reconcileIndex(of: space, progress: progress)
    }

    package func hasWholeIndex(of space: StoredSpace) throws(CatalogError) -> Bool {
        try read { try VectorIndex(space).isWhole($0) }
    }

    package func nearest(
        to query: Embedding,
        count: Int,
        in space: StoredSpace,
        images: [Int64]?
    ) throws(CatalogError) -> [(Int64, [UInt8])] {
        try read { db in
            try VectorIndex(space).nearest(to: query, count: count, images: images.map { jsonArray($0) }, db)
        }
    }

    package func indexDifferences(
        in space: StoredSpace
    ) throws(CatalogError) -> [(Verification.Kind, images: [Int64])] {
        try read { try VectorIndex(space).differences($0) }
    }
}
