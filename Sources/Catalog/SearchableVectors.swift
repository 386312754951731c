import FoundationEssentials
import GRDB
import SystemPackage
package import Vectors

/// What a search runs over, and the check that each hit must pass.
extension Catalog {
    /// The vectors of a space, of the images of a scope.
    ///
    /// The bot's database says which images these are; whatever else our database holds is not even looked at.
    package func searchableVectors(
        in space: VectorDatabase.StoredSpace,
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
        in space: VectorDatabase.StoredSpace,
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
    package func embedding(of image: Int64, in space: VectorDatabase.StoredSpace) throws(CatalogError) -> Embedding? {
        guard try confirmed([image], in: space, .allUsers)[image] != nil, let vectors else { return nil }
        return try vectors.embedding(of: image, in: space)
    }

    /// The Telegram id of the person that an image belongs to, where that is clear.
    package func owner(of image: ImageRecord) throws(CatalogError) -> Int64? {
        guard let chat = image.chatID else { return nil }
        return try main.owners(required: false)?.owner(ofChat: chat)
    }
}

extension MainDatabase {
    /// The images of these ids that are there, in the order of their ids.
    package func images(_ ids: [Int64]) throws(CatalogError) -> [ImageRecord] {
        let rows = ImageRows(schema)
        return try read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT \(rows.columns) FROM images WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
            )
            return try Row.fetchAll(statement, arguments: [jsonArray(ids)]).map(rows.record)
        }
    }

    /// The completed images with the highest ids below one, the highest first.
    ///
    /// - Parameter chats: The internal ids of the chats whose images are wanted; `nil` for all.
    package func newestImages(before id: Int64, count: Int, chats: [Int64]?) throws(CatalogError) -> [ImageRecord] {
        let rows = ImageRows(schema)
        let chosen = chats == nil ? "" : "AND chat_id IN (SELECT value FROM json_each(?))"
        var arguments: StatementArguments = [id]
        if let chats { arguments += [jsonArray(chats)] }
        arguments += [count]
        return try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(rows.columns) FROM images WHERE id < ? AND processing_status IS 'completed' \(chosen)
                    ORDER BY id DESC LIMIT ?
                    """
            )
            return try Row.fetchAll(statement, arguments: arguments).map(rows.record)
        }
    }

    /// When the bot got an image and what its chat is called, as far as the database says.
    package func details(of image: ImageRecord) throws(CatalogError) -> ImageDetails {
        let date = schema.has("created_at", in: "images") ? "CAST(created_at AS TEXT)" : "NULL"
        let title = schema.has("title", in: "chats") ? "title" : "NULL"
        let chat = schema.has("chat_id", in: "chats") ? "chat_id" : "NULL"
        return try read { db in
            let createdAt = try String.fetchOne(
                db,
                sql: "SELECT \(date) FROM images WHERE id = ?",
                arguments: [image.id]
            )
            guard schema.has("id", in: "chats"),
                let row = try Row.fetchOne(
                    db,
                    sql: "SELECT \(chat), CAST(\(title) AS BLOB) FROM chats WHERE id = ?",
                    arguments: [image.chatID]
                )
            else { return ImageDetails(createdAt: createdAt, chatID: nil, chatTitle: nil) }
            let name = row.bytes(at: 1).map { String(decoding: $0.prefix(400), as: UTF8.self) }
            return ImageDetails(createdAt: createdAt, chatID: Int64.fromDatabaseValue(row[0]), chatTitle: name)
        }
    }

    /// A chat's internal id.
    package func chat(telegramID: Int64) throws(CatalogError) -> Int64? {
        try schema.require(["id", "chat_id"], in: "chats", file: path.string)
        return try read {
            try Int64.fetchOne($0, sql: "SELECT id FROM chats WHERE chat_id = ?", arguments: [telegramID])
        }
    }

    fileprivate func completedImages(inChats chats: [Int64]) throws(CatalogError) -> [Int64] {
        try schema.require(["chat_id"], in: "images", file: path.string)
        return try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM images
                    WHERE processing_status IS 'completed' AND chat_id IN (SELECT value FROM json_each(?))
                    """,
                arguments: [jsonArray(chats)]
            )
        }
    }
}

/// What a person wants to know about a hit.
package struct ImageDetails: Sendable, Equatable {
    /// As the bot wrote it: UTC, `YYYY-MM-DD HH:MM:SS`.
    package let createdAt: String?
    /// The chat's Telegram id.
    package let chatID: Int64?
    package let chatTitle: String?
}

extension VectorDatabase {
    /// The vectors of a space, of all images or of those of these ids.
    fileprivate func matrix(of space: StoredSpace, images: [Int64]?) throws(CatalogError) -> VectorMatrix {
        let condition = images == nil ? "" : "AND image_id IN (SELECT value FROM json_each(?))"
        var arguments: StatementArguments = [space.id]
        if let images { arguments += [jsonArray(images)] }
        return try read { db in
            let from = "FROM vectors WHERE space_id = ? \(condition)"
            let count = try Int.fetchOne(db, sql: "SELECT count(*) \(from)", arguments: arguments) ?? 0
            return try VectorMatrix(dimension: space.space.dimension, capacity: count) { add in
                let rows = try Row.fetchCursor(
                    db,
                    sql: "SELECT image_id, blob \(from) ORDER BY image_id",
                    arguments: arguments
                )
                while let row = try rows.next() {
                    let id: Int64 = row[0]
                    try row.withUnsafeData(atIndex: 1) { blob in
                        blob?.withUnsafeBytes { bytes in
                            if bytes.count > 4 { add(id, UnsafeRawBufferPointer(rebasing: bytes[4...])) }
                        }
                    }
                }
            }
        }
    }

    fileprivate func embedding(of image: Int64, in space: StoredSpace) throws(CatalogError) -> Embedding? {
        let bytes = try read { db in
            try Row.fetchOne(
                db,
                sql: "SELECT blob FROM vectors WHERE space_id = ? AND image_id = ?",
                arguments: [space.id, image]
            )?.bytes(at: 0)
        }
        guard let bytes, case .embedding(let embedding) = EmbeddingBlob.read(bytes) else { return nil }
        return embedding.dimension == space.space.dimension ? embedding : nil
    }
}
