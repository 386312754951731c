package import Vectors

/// What a search runs over, and the check that each hit must pass.
extension Catalog {
    /// The vectors of a space, of the images of a scope.
    ///
    /// The bot's database says which images these are; whatever else our database holds is not even looked at.
    package func searchableVectors(
        in space: StoredSpace,
        _ scope: Scope
    ) throws(CatalogError) -> VectorMatrix {
        let images = try images(of: scope)
        guard let vectors else { return VectorMatrix(dimension: space.space.dimension, capacity: 0) { _ in } }
        return try vectors.matrix(of: space, images: images)
    }

    /// The completed images of a scope; `nil` for all.
    func images(of scope: Scope) throws(CatalogError) -> [Int64]? {
        guard let chats = try chats(of: scope) else { return nil }
        return try main.completedImages(inChats: chats)
    }

    /// The images of these ids that are still there, completed, in the scope, and whose vector in the space is the one
    /// that stands in both databases.
    package func confirmed(
        _ ids: [Int64],
        in space: StoredSpace,
        _ scope: Scope
    ) throws(CatalogError) -> [Int64: ImageRecord] {
        guard let vectors, let first = ids.min(), let last = ids.max() else { return [:] }
        let chats = try chats(of: scope).map(Set.init)
        let known = try vectors.records(in: space, imageIDs: first...last, only: ids)
        var confirmed: [Int64: ImageRecord] = [:]
        for image in try main.images(ids) where image.isCompleted {
            let isPermitted = chats.map { chats in image.chatID.map(chats.contains) ?? false } ?? true
            let condition = Condition(
                of: image,
                ours: known.vectors[image.id],
                elsewhere: known.elsewhere[image.id] ?? [],
                model: space.space.model
            )
            if isPermitted, condition == .embedded || condition == .unpublished { confirmed[image.id] = image }
        }
        return confirmed
    }

    /// The vector of an image in a space; `nil` where it has none.
    package func embedding(of image: Int64, in space: StoredSpace) throws(CatalogError) -> Embedding? {
        guard try confirmed([image], in: space, .allUsers)[image] != nil, let vectors else { return nil }
        return try vectors.embedding(of: image, in: space)
    }

    /// The Telegram id of the person that an image belongs to, where that is clear.
    package func owner(of image: ImageRecord) throws(CatalogError) -> Int64? {
        guard let chat = image.chatID else { return nil }
        return try main.owners(required: false)?.owner(ofChat: chat)
    }
}
