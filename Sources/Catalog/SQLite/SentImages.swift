import Foundation
import GRDB
package import SystemPackage

/// Images that people send: found, added and removed in the bot's tables, as the bot itself does it.
extension ImageRegistry {
    /// Who wrote, as Telegram describes them.
    package struct Person: Sendable {
        package let telegramID: Int64
        package let username: String?
        package let firstName: String?
        package let lastName: String?
        package let language: String?

        package init(telegramID: Int64, username: String?, firstName: String?, lastName: String?, language: String?) {
            self.telegramID = telegramID
            self.username = username
            self.firstName = firstName
            self.lastName = lastName
            self.language = language
        }
    }

    /// A chat's row.
    package struct ChatRow: Sendable {
        /// The internal id.
        package let id: Int64
        /// default, formal or artistic.
        package let mode: String
        package let preset: String?
        /// What the person's images are looked for in: all their chats in a private one, a group by itself.
        package let scope: Scope
    }

    /// A picture whose files are in their places.
    package struct SentImage: Sendable {
        package let fileID: String
        package let uniqueID: String
        package let byteCount: Int
        package let originalPath: String
        package let compressedPath: String
        package let width: Int
        package let height: Int
        package let format: String

        package init(
            fileID: String,
            uniqueID: String,
            byteCount: Int,
            originalPath: String,
            compressedPath: String,
            width: Int,
            height: Int,
            format: String
        ) {
            self.fileID = fileID
            self.uniqueID = uniqueID
            self.byteCount = byteCount
            self.originalPath = originalPath
            self.compressedPath = compressedPath
            self.width = width
            self.height = height
            self.format = format
        }
    }

    /// Finds or makes the rows of a person and of the chat that they write in.
    package func chat(
        _ chatID: Int64,
        type: String,
        title: String?,
        of person: Person
    ) throws(CatalogError) -> ChatRow {
        try main.write { db in
            let user = try row(
                "users",
                where: "user_id",
                person.telegramID,
                otherwise: [
                    "consent_given": true, "banned": false, "username": person.username,
                    "first_name": person.firstName, "last_name": person.lastName, "language_code": person.language,
                ],
                db
            )
            let values: [String: (any DatabaseValueConvertible)?] = [
                "user_id": user, "chat_type": type, "title": title, "current_mode": "default",
                "current_preset": nil as String?, "claude_mode": false, "auto_forward_voice": true,
                "show_model_buttons": false,
            ]
            let id = try row("chats", where: "chat_id", chatID, otherwise: values, db)
            let columns = ["current_mode", "current_preset"]
                .map { main.schema.has($0, in: "chats") ? "CAST(\($0) AS TEXT)" : "NULL" }.joined(separator: ", ")
            let found = try Row.fetchOne(db, sql: "SELECT \(columns) FROM chats WHERE id = ?", arguments: [id])
            return ChatRow(
                id: id,
                mode: found?[0] ?? "default",
                preset: found?[1],
                scope: type == "private" ? .user(person.telegramID) : .chat(id)
            )
        }
    }

    /// Keeps the mode of a chat.
    package func setMode(_ mode: String, ofChat id: Int64) throws(CatalogError) {
        try main.schema.require(["current_mode"], in: "chats", file: main.path.string)
        try main.write {
            try $0.execute(sql: "UPDATE chats SET current_mode = ? WHERE id = ?", arguments: [mode, id])
        }
    }

    /// An image's row that may be of the same picture.
    package struct Candidate: Sendable {
        package let image: ImageRecord
        /// Where the file lies as it was sent.
        package let originalPath: String?
    }

    /// The images of some chats that have one of Telegram's names of a file, or its size.
    package func candidates(
        uniqueIDs: [String],
        byteCount: Int?,
        chats: [Int64]
    ) throws(CatalogError) -> [Candidate] {
        let rows = ImageRows(main.schema)
        let original = main.schema.has("original_path", in: "images") ? "CAST(original_path AS TEXT)" : "NULL"
        return try main.read { db in
            let found = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(rows.columns), \(original) AS original FROM images
                    WHERE (file_unique_id IN (\(uniqueIDs.map { _ in "?" }.joined(separator: ", "))) OR file_size = ?)
                        AND chat_id IN (SELECT value FROM json_each(?))
                    ORDER BY id LIMIT 100
                    """,
                arguments: StatementArguments(uniqueIDs) + [byteCount, jsonArray(chats)]
            )
            return found.map { Candidate(image: rows.record($0), originalPath: $0["original"]) }
        }
    }

    /// Adds an image.
    ///
    /// A file that somebody else has sent as well has Telegram's one name for both, and the bot's table takes a name once:
    /// the second one has the chat's id behind it.
    ///
    /// - Returns: The image's id; that of the row which is there where it is.
    package func add(_ image: SentImage, to chat: ChatRow) throws(CatalogError) -> Int64 {
        try main.write { db in
            for name in [image.uniqueID, "\(image.uniqueID)@\(chat.id)"] {
                let found = try Row.fetchOne(
                    db,
                    sql: "SELECT id, chat_id FROM images WHERE file_unique_id = ?",
                    arguments: [name]
                )
                if let found, found[1] == chat.id { return found[0] }
                guard found == nil else { continue }
                let values: [String: (any DatabaseValueConvertible)?] = [
                    "chat_id": chat.id, "file_id": image.fileID, "file_unique_id": name, "file_size": image.byteCount,
                    "original_path": image.originalPath, "compressed_path": image.compressedPath,
                    "file_path": image.originalPath, "width": image.width, "height": image.height,
                    "format": image.format, "mode_used": chat.mode, "preset_used": chat.preset,
                    "processing_status": "completed",
                ]
                let known = values.filter { main.schema.has($0.key, in: "images") }
                let names = known.keys.sorted()
                let marks = names.map { _ in "?" }.joined(separator: ", ")
                try db.execute(
                    sql: "INSERT INTO images (\(names.joined(separator: ", "))) VALUES (\(marks))",
                    arguments: StatementArguments(names.map { known[$0] ?? nil })
                )
                return db.lastInsertedRowID
            }
            throw CatalogError(.schema, "\(main.path): another chat's image has this chat's name for a file")
        }
    }

    /// Telegram's name by which a file is sent again or fetched anew; `nil` where the image did not come from Telegram.
    package func fileID(of image: ImageRecord) throws(CatalogError) -> String? {
        guard main.schema.has("file_id", in: "images"), !image.fileUniqueID.hasPrefix("import-") else { return nil }
        return try main.read {
            try String.fetchOne(
                $0,
                sql: "SELECT CAST(file_id AS TEXT) FROM images WHERE id = ? AND file_unique_id = ?",
                arguments: [image.id, image.fileUniqueID]
            )
        }
    }

    /// Puts the path of a file that was fetched anew into an image's row.
    package func setPath(_ path: String, of image: ImageRecord) throws(CatalogError) {
        let column = main.schema.has("original_path", in: "images") ? "original_path" : "file_path"
        try main.write {
            try $0.execute(
                sql: "UPDATE images SET \(column) = ? WHERE id = ? AND file_unique_id = ?",
                arguments: [path, image.id, image.fileUniqueID]
            )
        }
    }

    /// The images of a private chat.
    package func images(ofChat id: Int64) throws(CatalogError) -> [Int64] {
        try main.read { try Int64.fetchAll($0, sql: "SELECT id FROM images WHERE chat_id = ?", arguments: [id]) }
    }

    /// Removes an image's row, if it is still the same image.
    package func remove(_ image: ImageRecord) throws(CatalogError) {
        try main.write { db in
            try db.execute(
                sql: "DELETE FROM images WHERE id = ? AND file_unique_id = ?",
                arguments: [image.id, image.fileUniqueID]
            )
        }
    }
}

extension SQLiteVectorDatabase {
    /// Removes everything that is known of some images, in every space.
    package func forget(_ images: [Int64]) throws(CatalogError) {
        for space in try spaces() { try remove(images, from: space) }
        try write {
            try $0.execute(
                sql: "DELETE FROM failures WHERE image_id IN (SELECT value FROM json_each(?))",
                arguments: [jsonArray(images)]
            )
        }
    }
}

extension ImageRecord {
    /// The image as if it had this one file.
    package func having(_ path: FilePath) -> ImageRecord {
        ImageRecord(
            id: id,
            fileUniqueID: fileUniqueID,
            chatID: chatID,
            isCompleted: isCompleted,
            paths: [path],
            stored: .nothing,
            label: label,
            mode: mode
        )
    }
}
