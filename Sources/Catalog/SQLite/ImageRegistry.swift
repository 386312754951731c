import Foundation
import GRDB
import Glibc
package import SystemPackage

/// Registers pictures as images of a user, as if the bot had received and completed them.
///
/// The only part of Semblance that changes rows of the bot's tables beside the two columns: for `import`, and for the chat.
package struct ImageRegistry {
    let main: SQLiteMainDatabase

    /// A picture to register.
    package struct Picture: Sendable {
        /// The path as it will stand in the row; bytes, which need not be UTF-8.
        package let path: FilePath
        /// A name that is the same at every import of the same file into the same chat.
        package let fileUniqueID: String
        package let byteCount: Int
        package let width: Int
        package let height: Int
        package let format: String

        package init(
            path: FilePath,
            fileUniqueID: String,
            byteCount: Int,
            width: Int,
            height: Int,
            format: String
        ) {
            self.path = path
            self.fileUniqueID = fileUniqueID
            self.byteCount = byteCount
            self.width = width
            self.height = height
            self.format = format
        }
    }

    /// Opens the database for writing; where there is none, makes one with the bot's schema.
    package init(_ address: DatabaseAddress) throws(CatalogError) {
        if address.path.withPlatformString({ access($0, F_OK) }) != 0 { try Self.make(address) }
        main = try SQLiteMainDatabase(address, isReadOnly: false)
    }

    private static func make(_ address: DatabaseAddress) throws(CatalogError) {
        try CatalogError.naming(address.path.string) {
            let folder = address.path.removingLastComponent()
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            var configuration = Configuration()
            configuration.foreignKeysEnabled = false
            let queue = try DatabaseQueue(path: address.path.string, configuration: configuration)
            try queue.write { try $0.execute(sql: BotSchema.sql) }
            try queue.close()
        }
    }

    /// Finds or makes the user and the chat.
    ///
    /// - Returns: The chat's internal id.
    /// - Throws: `.schema` where a chat must be made and the bot's table wants a value that only the bot knows.
    package func chat(_ chatID: Int64, ofUser userID: Int64, mode: String) throws(CatalogError) -> Int64 {
        try main.write { db in
            let user = try row(
                "users",
                where: "user_id",
                userID,
                otherwise: ["consent_given": true, "banned": false],
                db
            )
            let defaults: [String: (any DatabaseValueConvertible)?] = [
                "user_id": user, "chat_type": chatID < 0 ? "group" : "private", "current_mode": mode,
                "claude_mode": false, "auto_forward_voice": true,
            ]
            return try row("chats", where: "chat_id", chatID, otherwise: defaults, db)
        }
    }

    /// The internal id of the row with a Telegram id, made with the given values where it is missing.
    func row(
        _ table: String,
        where column: String,
        _ telegramID: Int64,
        otherwise values: [String: (any DatabaseValueConvertible)?],
        _ db: Database
    ) throws -> Int64 {
        let find = "SELECT id FROM \(table) WHERE \(column) = ?"
        if let id = try Int64.fetchOne(db, sql: find, arguments: [telegramID]) { return id }
        var values = values.filter { main.schema.has($0.key, in: table) }
        values[column] = telegramID
        let wanted = #"FROM pragma_table_xinfo(?) WHERE "notnull" AND dflt_value IS NULL AND NOT pk"#
        // A switch that only the bot knows is off.
        let switches = "SELECT name \(wanted) AND type = 'BOOLEAN'"
        for name in try String.fetchAll(db, sql: switches, arguments: [table]) where values[name] == nil {
            values[name] = false
        }
        let needed = try String.fetchAll(db, sql: "SELECT name \(wanted)", arguments: [table])
        if let unknown = needed.first(where: { values[$0] == nil }) {
            throw CatalogError(
                .schema,
                "\(main.path): a new row of \(table) needs a value for \(unknown), which only the bot knows. Let the bot "
                    + "make it (send it one message), then import again"
            )
        }
        let names = values.keys.sorted()
        try db.execute(
            sql: """
                INSERT INTO \(table) (\(names.joined(separator: ", ")))
                VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))
                """,
            arguments: StatementArguments(names.map { values[$0] ?? nil })
        )
        return db.lastInsertedRowID
    }

    /// Adds pictures to a chat, a few hundred in a transaction, so that the bot can write between them.
    ///
    /// - Returns: How many were new; the others were there already.
    package func add(_ pictures: [Picture], toChat chat: Int64, mode: String) throws(CatalogError) -> Int {
        var added = 0
        for start in stride(from: 0, to: pictures.count, by: 500) {
            added += try insert(pictures[start..<min(start + 500, pictures.count)], toChat: chat, mode: mode)
        }
        return added
    }

    private func insert(
        _ pictures: ArraySlice<Picture>,
        toChat chat: Int64,
        mode: String
    ) throws(CatalogError) -> Int {
        let isNamedFile = main.schema.has("original_path", in: "images")
        let pathColumn = isNamedFile ? "original_path" : main.schema.pathColumns.first ?? "original_path"
        return try main.write { db in
            let insert = try db.makeStatement(
                sql: """
                    INSERT INTO images (chat_id, file_id, file_unique_id, file_size, \(pathColumn), width, height, format,
                        mode_used, processing_status)
                    VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, 'completed')
                    ON CONFLICT (file_unique_id) DO NOTHING
                    """
            )
            return try pictures.reduce(into: 0) { added, picture in
                let path = picture.path.withPlatformString { Data(bytes: $0, count: strlen($0)) }
                try insert.execute(
                    arguments: [
                        chat, picture.fileUniqueID, picture.fileUniqueID, picture.byteCount, path, picture.width,
                        picture.height, picture.format, mode,
                    ]
                )
                added += db.changesCount
            }
        }
    }
}
