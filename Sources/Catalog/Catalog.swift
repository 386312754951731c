/// The two databases seen together: what stands where for each image.
package struct Catalog: Sendable {
    package let main: any MainDatabase
    package let vectors: (any VectorDatabase)?

    /// - Parameter vectors: `nil` where nothing has been embedded yet.
    package init(main: any MainDatabase, vectors: (any VectorDatabase)?) {
        self.main = main
        self.vectors = vectors
    }

    /// An image with how it stands towards a space.
    package struct SurveyedImage: Sendable {
        package let image: ImageRecord
        package let condition: Condition
        /// Whether our database knows that the bot's has the vector; a run that was killed may not have come to say so.
        package let isMarked: Bool
        /// Whether the bot's row holds something that we have not made, and that a vector would take the place of.
        package let holdsOthers: Bool
        /// The SHA-256 of the file that our vector was made from; `nil` where we have none, or know how its picture looks.
        package let undescribedSource: [UInt8]?
        /// Why it could not be embedded before, if it is still the same image.
        package let failure: FailureRecord?
    }

    /// Visits the images of a scope in the order of their ids, those that are not completed too.
    ///
    /// - Parameters:
    ///   - model: The model whose vectors are wanted.
    ///   - space: The space that they are wanted of; `nil` where there is none yet.
    ///   - last: The id after which they begin.
    ///   - salvages: Whether rows that a damaged database cannot give are passed over.
    ///   - visit: Gets one page at a time; returns `false` to stop.
    /// - Returns: How many places of a damaged database were passed over.
    @discardableResult
    package func survey(
        _ scope: Scope,
        model: String,
        space: StoredSpace?,
        after last: Int64 = .min,
        salvages: Bool = false,
        _ visit: ([SurveyedImage]) throws -> Bool
    ) throws -> Int {
        var pages = ImagePages(main, chats: try chats(of: scope), after: last)
        var passedOver = 0
        while true {
            let page = try salvages ? pages.nextReadable(passedOver: &passedOver) : pages.next()
            guard !page.isEmpty, try visit(try look(at: page, model: model, space: space)) else { return passedOver }
        }
    }

    /// The images of these ids that are there, in the order of their ids.
    package func survey(
        _ ids: [Int64],
        model: String,
        space: StoredSpace?
    ) throws(CatalogError) -> [SurveyedImage] {
        try look(at: try main.images(ids), model: model, space: space)
    }

    /// Puts beside each image what our database knows about it.
    private func look(
        at page: [ImageRecord],
        model: String,
        space: StoredSpace?
    ) throws(CatalogError) -> [SurveyedImage] {
        var known = KnownImages()
        if let vectors, let first = page.first, let last = page.last {
            known = try vectors.records(in: space, imageIDs: first.id...last.id, only: nil)
        }
        return page.map { image in
            let vector = known.vectors[image.id]
            let elsewhere = known.elsewhere[image.id] ?? []
            let ours = elsewhere + (vector.map { [$0] } ?? [])
            let digest = ours.isEmpty ? nil : image.storedDigest
            return SurveyedImage(
                image: image,
                condition: Condition(
                    of: image,
                    digest: digest,
                    ours: vector,
                    elsewhere: elsewhere,
                    model: model
                ),
                isMarked: vector?.isPublished ?? false,
                holdsOthers: image.stored != .nothing && !ours.contains { $0.isHeld(by: image, digest: digest) },
                undescribedSource: vector.flatMap { $0.isDescribed ? nil : $0.sourceDigest },
                failure: known.failures[image.id].flatMap { $0.fileUniqueID == image.fileUniqueID ? $0 : nil }
            )
        }
    }

    /// The chats of a scope; `nil` for all.
    package func chats(of scope: Scope) throws(CatalogError) -> [Int64]? {
        switch scope {
        case .allUsers: return nil
        case .chat(let id): return [id]
        case .user(let telegramID):
            guard let owners = try main.owners(required: true), owners.knows(telegramID) else {
                throw CatalogError(.unknownUser, "No user with the Telegram id \(telegramID) is in \(main.name)")
            }
            return owners.chats(of: telegramID)
        }
    }
}
