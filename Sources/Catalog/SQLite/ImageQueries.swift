import GRDB
import SystemPackage

/// The bot's rows by their ids, their chats and their age.
extension SQLiteMainDatabase {
    /// The images after an id, in the order of their ids.
    package func images(inChats chats: [Int64]?, after id: Int64, count: Int) throws(CatalogError) -> [ImageRecord] {
        if chats != nil { try schema.require(["chat_id"], in: "images", file: path.string) }
        let rows = ImageRows(schema)
        let (chosen, chatArguments) = Self.chosen(chats)
        let arguments = [id] + chatArguments + [count]
        return try read { db in
            let sql = "SELECT \(rows.columns) FROM images WHERE id > ? \(chosen) ORDER BY id LIMIT ?"
            let found = try Row.fetchCursor(try db.cachedStatement(sql: sql), arguments: arguments)
            var page: [ImageRecord] = []
            while let row = try found.next() { page.append(rows.record(row)) }
            return page
        }
    }

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
        let (chosen, chatArguments) = Self.chosen(chats)
        let arguments = [id] + chatArguments + [count]
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

    /// How many completed images there are in some chats, up to an id.
    package func completedCount(to last: Int64, chats: [Int64]?) throws(CatalogError) -> Int {
        let (chosen, arguments) = Self.chosen(chats)
        return try read {
            try Int.fetchOne(
                $0,
                sql: "SELECT count(*) FROM images WHERE id <= ? AND processing_status IS 'completed' \(chosen)",
                arguments: [last] + arguments
            ) ?? 0
        }
    }

    /// The id before which the page of images lies that ends just above one.
    package func pageStart(above id: Int64, length: Int, chats: [Int64]?) throws(CatalogError) -> Int64 {
        let (chosen, arguments) = Self.chosen(chats)
        let ids = try read {
            try Int64.fetchAll(
                $0,
                sql: """
                    SELECT id FROM images WHERE id > ? AND processing_status IS 'completed' \(chosen) ORDER BY id LIMIT ?
                    """,
                arguments: [id] + arguments + [length]
            )
        }
        return ids.last.map { $0 + 1 } ?? .max
    }

    /// A condition on the chat, to be put behind another one, and its arguments; nothing for all chats.
    private static func chosen(_ chats: [Int64]?) -> (sql: String, arguments: StatementArguments) {
        guard let chats else { return ("", []) }
        return ("AND chat_id IN (SELECT value FROM json_each(?))", [jsonArray(chats)])
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

    package func completedImages(inChats chats: [Int64]) throws(CatalogError) -> [Int64] {
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

extension SQLiteMainDatabase {
    /// Telegram's names of the files of images that are there, by the images' ids.
    package func uniqueIDs(of images: [Int64]) throws(CatalogError) -> [Int64: String] {
        try read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT id, file_unique_id FROM images WHERE id IN (SELECT value FROM json_each(?))"
            )
            let rows = try Row.fetchAll(statement, arguments: [jsonArray(images)])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], ($0[1] as DatabaseValue).text) })
        }
    }
}
