/// Writes what a run computes: vectors and failures into our database and, where their space is the active one, the
/// vectors into the bot's rows.
package protocol VectorStore: Sendable {
    var vectors: any VectorDatabase { get }
    var space: StoredSpace { get }
    /// How the index stood at the beginning of the run.
    var index: IndexState { get }
    /// What shares the images out among several programs, where those may embed at once.
    var queue: WorkQueue? { get }
    /// Whether the space is the active one.
    var isActive: Bool { get }

    /// Makes the space the active one; what it has is yet to be published.
    func activate() throws(CatalogError)
    /// Stores a batch of vectors and failures and, where the space is the active one, publishes the vectors.
    ///
    /// - Returns: The ids of images that were deleted or replaced in the bot's database meanwhile, or that another program
    ///   has taken over.
    func store(_ batch: [NewVector], failures: [FailureRecord]) throws(CatalogError) -> Set<Int64>
    /// Publishes vectors that an earlier run computed and did not bring to the bot's database.
    ///
    /// - Returns: The ids of images that were deleted or replaced in the bot's database meanwhile.
    func publish(_ images: [ImageRecord]) throws(CatalogError) -> Set<Int64>
    /// Ends the run.
    func finish() throws(CatalogError)
}

/// How an index stands at the beginning of a run.
package enum IndexState: Sendable, Equatable {
    case ready(repaired: Int)
    case unavailable(reason: String)
}

extension VectorStore {
    package var queue: WorkQueue? { nil }
}
