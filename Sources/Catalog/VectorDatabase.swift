package import Vectors

/// Our own database: spaces, vectors with their provenance, the index, failures, runs.
///
/// What it holds can be computed again at any time.
package protocol VectorDatabase: Sendable {
    /// What messages call it: a file, or a server and a database.
    var name: String { get }
    /// What the index is made with, or why there is none.
    var indexExtension: IndexExtension { get }

    // Spaces

    /// The spaces: the active one, those that were active before, the latest first, and those that never were.
    func spaces() throws(CatalogError) -> [StoredSpace]
    /// Adds a space where it is new; it does not become active by that.
    func add(_ space: EmbeddingSpace) throws(CatalogError)
    /// Makes a space the one that answers come from.
    func activate(_ space: StoredSpace) throws(CatalogError)
    /// Removes all vectors of a space that is not active; the space's name stays, and can be filled again.
    ///
    /// First it is barred from becoming active again; then its vectors go in short transactions, so that searches go on.
    ///
    /// - Returns: How many there were.
    func purge(_ space: StoredSpace, progress: (_ removed: Int) -> Void) throws(CatalogError) -> Int
    /// Keeps what a model gives for the built-in pictures, unless there are answers already.
    func keepKnownAnswers(_ answers: [Embedding], of space: StoredSpace) throws(CatalogError)
    /// The answers that were kept; `nil` where there are none, or none that can be read.
    func knownAnswers(of space: StoredSpace) throws(CatalogError) -> [Embedding]?

    // Vectors

    /// How many vectors a space has.
    func vectorCount(in space: StoredSpace) throws(CatalogError) -> Int
    /// What is known about images of a range of ids.
    ///
    /// - Parameter only: The ids within the range that are wanted; `nil` for all.
    func records(in space: StoredSpace?, imageIDs: ClosedRange<Int64>, only: [Int64]?) throws(CatalogError)
        -> KnownImages
    /// Whose vectors a space has, in the order of the images' ids.
    func keys(in space: StoredSpace, after id: Int64, count: Int) throws(CatalogError) -> [VectorKey]
    /// The vectors of a space as they lie in the database, in the order of their images' ids.
    func page(in space: StoredSpace, after id: Int64, count: Int) throws(CatalogError) -> [StoredVector]
    /// The vectors of a space, of all images or of those of these ids, in the order of the ids.
    func matrix(of space: StoredSpace, images: [Int64]?) throws(CatalogError) -> VectorMatrix
    /// The embeddings of some images in a space, as blobs; those that are gone are left out.
    func embeddings(of images: [Int64], in space: StoredSpace) throws(CatalogError) -> [(Int64, [UInt8])]
    /// The vectors of a space that were stored after a mark, in the order in which that was; and the mark behind those
    /// that need not be looked at again. Where several write at once, some may be given again the next time.
    func vectors(of space: StoredSpace, after mark: StreamMark, count: Int) throws(CatalogError)
        -> (page: [StreamedVector], mark: StreamMark)
    /// The pictures of some images that have a vector in a space, in the order of their ids.
    func pictures(of images: [Int64], in space: StoredSpace) throws(CatalogError) -> [PictureRecord]
    /// The SHA-256 of the file that an image's vector was made from.
    func sourceDigest(of image: Int64, in space: StoredSpace) throws(CatalogError) -> [UInt8]?
    /// Images whose vector is bit for bit that of another file whose picture looks otherwise, which no model gives.
    func imagesWithTheVectorOfAnotherFile(in space: StoredSpace) throws(CatalogError) -> [Int64]
    /// Removes images' vectors of a space in short transactions.
    func remove(_ images: [Int64], from space: StoredSpace) throws(CatalogError)
    /// Forgets failures of some classes in the spaces of a model, so that the next run tries the images again.
    ///
    /// - Returns: How many there were.
    func forgetFailures(of kinds: [FailureRecord.Class], model: String) throws(CatalogError) -> Int
    /// A number that changes whenever somebody else has written.
    func dataVersion() throws(CatalogError) -> Int

    // The index

    /// Whether a space has an index that knows all its vectors.
    func hasWholeIndex(of space: StoredSpace) throws(CatalogError) -> Bool
    /// The vectors that the index says are nearest to one, with their blobs, in any order; fewer than were asked for only
    /// where there are no more.
    ///
    /// - Parameter images: The images whose vectors are looked at; `nil` for all.
    func nearest(to query: Embedding, count: Int, in space: StoredSpace, images: [Int64]?) throws(CatalogError)
        -> [(Int64, [UInt8])]
    /// Where the index says something else than the vectors, by image.
    func indexDifferences(in space: StoredSpace) throws(CatalogError) -> [(Verification.Kind, images: [Int64])]
    /// Makes a space's index anew.
    ///
    /// Until it is whole again, searches look at the vectors themselves.
    func rebuildIndex(of space: StoredSpace, progress: (_ added: Int) -> Void) throws(CatalogError)
}

/// Whether the extension that an index is made with is there.
package enum IndexExtension: Sendable, Equatable {
    case loaded(version: String)
    case unavailable(reason: String)
}

/// Whose vector one is.
package struct VectorKey: Sendable {
    let imageID: Int64
    let uniqueID: String
}

extension VectorDatabase {
    /// The space that answers come from; `nil` where nothing has been embedded yet.
    package func activeSpace() throws(CatalogError) -> StoredSpace? {
        try spaces().first { $0.activation > 0 }
    }

    /// A space by what it is.
    package func stored(_ space: EmbeddingSpace) throws(CatalogError) -> StoredSpace? {
        try spaces().first { $0.space == space }
    }

    /// Adds a space where it is new.
    ///
    /// It becomes active at once where no other has anything to answer with.
    package func register(_ space: EmbeddingSpace) throws(CatalogError) -> StoredSpace {
        try add(space)
        guard let stored = try stored(space) else {
            throw CatalogError(.corrupt, "\(name): the space of \(space.model) was not stored")
        }
        if try activeSpace() != stored, try isAnswered(by: space) { try activate(stored) }
        return try self.stored(space) ?? stored
    }

    /// Whether a space is the active one, or becomes it as soon as it is added.
    package func isAnswered(by space: EmbeddingSpace) throws(CatalogError) -> Bool {
        guard let active = try activeSpace(), active.space != space else { return true }
        return try vectorCount(in: active) == 0
    }

    /// Insists on a space's not being the active one.
    func requireInactive(_ space: StoredSpace) throws(CatalogError) {
        guard try activeSpace() != space else {
            throw CatalogError(.unsupported, "The space \(space.id) is the active one; activate another one first")
        }
    }

    /// The vector of an image in a space, as our database has it.
    func embedding(of image: Int64, in space: StoredSpace) throws(CatalogError) -> Embedding? {
        guard let blob = try embeddings(of: [image], in: space).first?.1,
            case .embedding(let embedding) = EmbeddingBlob.read(blob)
        else { return nil }
        return embedding.dimension == space.space.dimension ? embedding : nil
    }
}
