import Vectors

/// Compares the bot's database, ours and the index with each other, row by row, and names each row that is not as it
/// should be; changes nothing.
package struct Verification {
    private let catalog: Catalog
    private let space: StoredSpace

    package init(_ catalog: Catalog, space: StoredSpace) {
        self.catalog = catalog
        self.space = space
    }

    /// A row that is not as it should be.
    package struct Finding: Sendable, Equatable {
        package let kind: Kind
        /// The image that it is about.
        package let imageID: Int64

        package init(_ kind: Kind, _ imageID: Int64) {
            self.kind = kind
            self.imageID = imageID
        }
    }

    /// What is wrong with a row.
    package enum Kind: String, Sendable, CaseIterable {
        case imageGone = "our vector is of an image that the bot has deleted"
        case imageExchanged = "our vector is of another image that had this id"
        case overwritten = "the bot's row holds another vector than the one that we wrote"
        case overwrittenWorthlessly = "the bot's row holds bytes that no model made, in the place of our vector"
        case relabelled = "the bot's row names another model beside our vector"
        case notPublished = "our vector has not reached the bot's row"
        case ourVectorDamaged = "the vector in our database is damaged"
        case ourVectorConstant = "all numbers of the vector in our database are the same"
        case ourDigestWrong = "the vector in our database is not the one that was stored"
        case blobDamaged = "the bot's row holds bytes that are no vector"
        case madeByNoModel = "the bot's row holds random numbers that no model made"
        case otherModel = "the bot's row holds another model's vector"
        case unknownOrigin = "the bot's row holds a vector that we did not write"
        /// A suspicion only: two tall drawings can have the same middle, which is what a model sees of them.
        case sameAsOther = "our vector equals that of a file with another picture"
        case notInIndex = "our vector is not in the index"
        case indexDiffers = "the index holds other numbers than our vector"
        case indexOrphan = "the index holds a row without a vector"
        case recomputedDiffers = "computed anew, the vector is another one"
        case fileChanged = "the file is another one than the vector was made from"

        /// Whether something is wrong for certain.
        package var isCertain: Bool { self != .sameAsOther }
    }

    /// Reports all findings, those of the bot's rows first.
    package func run(_ report: (Finding) throws -> Void) throws {
        try verifyImages(report)
        try verifyVectors(report)
        try verifyIndex(report)
    }

    private func verifyImages(_ report: (Finding) throws -> Void) throws {
        guard let vectors = catalog.vectors else { return }
        try catalog.survey(.allUsers, model: space.space.model, space: space) { page in
            let ids = page.map(\.image.id)
            let known = try vectors.records(in: space, imageIDs: (ids.min() ?? 0)...(ids.max() ?? 0), only: nil).vectors
            for surveyed in page where surveyed.image.isCompleted {
                if let kind = Self.kind(of: surveyed, ours: known[surveyed.image.id]) {
                    try report(Finding(kind, surveyed.image.id))
                }
            }
            return true
        }
    }

    private static func kind(of surveyed: Catalog.SurveyedImage, ours: VectorRecord?) -> Kind? {
        let isOurs = ours?.fileUniqueID == surveyed.image.fileUniqueID
        switch surveyed.condition {
        case .embedded: return nil
        case .unpublished: return .notPublished
        case .pending: return isOurs ? .notPublished : nil
        case .stale where isOurs:
            guard ours?.isHeld(by: surveyed.image) != true else { return .relabelled }
            let isWorthless = [.stale(.damaged), .stale(.noModel)].contains(surveyed.condition)
            return isWorthless ? .overwrittenWorthlessly : .overwritten
        case .stale(.damaged): return .blobDamaged
        case .stale(.noModel): return .madeByNoModel
        case .stale(.otherModel), .stale(.otherSpace): return .otherModel
        case .stale(.unknownOrigin): return .unknownOrigin
        }
    }

    private func verifyVectors(_ report: (Finding) throws -> Void) throws {
        guard let vectors = catalog.vectors else { return }
        var after: Int64 = .min
        while true {
            let page = try vectors.page(in: space, after: after, count: 500)
            guard let last = page.last else { break }
            after = last.imageID
            let images = try catalog.main.uniqueIDs(of: page.map(\.imageID))
            for vector in page {
                for kind in Self.kinds(of: vector, image: images[vector.imageID], dimension: space.space.dimension) {
                    try report(Finding(kind, vector.imageID))
                }
            }
        }
        for image in try vectors.imagesWithTheVectorOfAnotherFile(in: space) {
            try report(Finding(.sameAsOther, image))
        }
    }

    private static func kinds(of vector: StoredVector, image: String?, dimension: Int) -> [Kind] {
        var kinds: [Kind] = []
        if image == nil { kinds.append(.imageGone) }
        if let image, image != vector.fileUniqueID { kinds.append(.imageExchanged) }
        guard case .embedding(let embedding) = EmbeddingBlob.read(vector.blob), embedding.dimension == dimension else {
            return kinds + [.ourVectorDamaged]
        }
        if !vector.isAsStored { kinds.append(.ourDigestWrong) }
        let numbers = embedding.components
        if numbers.count > 1, numbers.allSatisfy({ $0 == numbers[0] }) { kinds.append(.ourVectorConstant) }
        return kinds
    }

    private func verifyIndex(_ report: (Finding) throws -> Void) throws {
        guard let vectors = catalog.vectors, case .loaded = vectors.indexExtension else { return }
        for (kind, images) in try vectors.indexDifferences(in: space) {
            for image in images { try report(Finding(kind, image)) }
        }
    }
}

/// A vector as it lies in our database.
package struct StoredVector: Sendable {
    let imageID: Int64
    let fileUniqueID: String
    let blob: [UInt8]
    /// Whether the bytes have the digest that was noted when they were stored.
    let isAsStored: Bool
}
