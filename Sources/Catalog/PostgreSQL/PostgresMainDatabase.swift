import PostgreSQL
import SystemPackage
import Vectors

/// The bot's database at a server of PostgreSQL.
package final class PostgresMainDatabase: MainDatabase {
    let server: PostgresServer
    let schema: MainSchema
    package var name: String { server.name }
    private let columns: String
    private let pathCount: Int

    /// Looks which tables there are.
    package init(_ server: PostgresServer) throws(CatalogError) {
        self.server = server
        let schema = try server.run { try Self.schema($0) }
        try schema.requireImages(file: server.name)
        self.schema = schema
        let paths = schema.pathColumns
        pathCount = paths.count
        columns = """
            id::bigint, file_unique_id::text, \(schema.has("chat_id", in: "images") ? "chat_id::bigint" : "NULL::bigint"),
            (processing_status::text = 'completed') IS TRUE, embedding IS NULL,
            CASE WHEN octet_length(embedding) <= \(EmbeddingBlob.maximumByteCount) THEN embedding END,
            left(embedding_model::text, 200),
            \(schema.has("mode_used", in: "images") ? "left(mode_used::text, 50)" : "NULL::text"),
            \(paths.map { "left(\($0)::text, 4096)" }.joined(separator: ", "))
            """
    }

    /// The columns of the tables that the user's search path finds, as the bot does.
    private static func schema(_ connection: PostgresConnection) throws -> MainSchema {
        let rows = try connection.execute(
            """
            SELECT t.name, a.attname::text, format_type(a.atttypid, NULL) FROM unnest($1::text[]) AS t(name)
            JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped
            """,
            [.texts(MainSchema.tables)]
        ).rows
        var columns: [String: Set<String>] = [:]
        for row in rows {
            let (table, column) = (row.text(0) ?? "", row.text(1) ?? "")
            if table == "images", column == "embedding", row.text(2) != "bytea" {
                throw CatalogError(
                    .schema,
                    "The column embedding of images is of the type \(row.text(2) ?? ""), not bytea"
                )
            }
            columns[table, default: []].insert(column)
        }
        return MainSchema(columns: columns)
    }

    private func record(_ row: PostgresResult.Row) -> ImageRecord {
        let stored: ImageRecord.StoredValue = row.bool(4) ? .nothing : row.bytes(5).map { .blob($0) } ?? .tooLarge
        return ImageRecord(
            id: row.int64(0) ?? 0,
            fileUniqueID: row.text(1) ?? "",
            chatID: row.int64(2),
            isCompleted: row.bool(3),
            paths: (0..<pathCount).compactMap { row.text(8 + $0) }.filter { !$0.isEmpty }.map { FilePath($0) },
            stored: stored,
            label: row.text(6),
            mode: row.text(7)
        )
    }

    /// Images by a condition, whose parameters come after those of the chats.
    private func images(
        where condition: String,
        _ parameters: [PostgresValue]
    ) throws(CatalogError) -> [ImageRecord] {
        try server.execute("SELECT \(columns) FROM images WHERE \(condition)", parameters).rows.map(record)
    }

    /// A condition on the chat, as the first parameter, and that parameter; always true for all chats.
    private func chosen(_ chats: [Int64]?) throws(CatalogError) -> (sql: String, parameter: PostgresValue) {
        guard let chats else { return ("$1::bigint[] IS NOT NULL", .int64s([])) }
        try schema.require(["chat_id"], in: "images", file: name)
        return ("chat_id = ANY ($1)", .int64s(chats))
    }

    package func images(inChats chats: [Int64]?, after id: Int64, count: Int) throws(CatalogError) -> [ImageRecord] {
        let (sql, parameter) = try chosen(chats)
        return try images(
            where: "\(sql) AND id > $2 ORDER BY id LIMIT $3",
            [parameter, .int64(id), .int64(Int64(count))]
        )
    }

    package func images(_ ids: [Int64]) throws(CatalogError) -> [ImageRecord] {
        try images(where: "id = ANY ($1) ORDER BY id", [.int64s(ids)])
    }

    package func newestImages(before id: Int64, count: Int, chats: [Int64]?) throws(CatalogError) -> [ImageRecord] {
        let (sql, parameter) = try chosen(chats)
        return try images(
            where: "\(sql) AND id < $2 AND processing_status::text = 'completed' ORDER BY id DESC LIMIT $3",
            [parameter, .int64(id), .int64(Int64(count))]
        )
    }

    package func completedImages(inChats chats: [Int64]) throws(CatalogError) -> [Int64] {
        let (sql, parameter) = try chosen(chats)
        return try server.execute(
            "SELECT id::bigint FROM images WHERE \(sql) AND processing_status::text = 'completed' ORDER BY id",
            [parameter]
        ).rows.compactMap { $0.int64(0) }
    }

    package func completedCount(to last: Int64, chats: [Int64]?) throws(CatalogError) -> Int {
        let (sql, parameter) = try chosen(chats)
        let result = try server.execute(
            "SELECT count(*) FROM images WHERE \(sql) AND id <= $2 AND processing_status::text = 'completed'",
            [parameter, .int64(last)]
        )
        return Int(result.rows.first?.int64(0) ?? 0)
    }

    package func pageStart(above id: Int64, length: Int, chats: [Int64]?) throws(CatalogError) -> Int64 {
        let (sql, parameter) = try chosen(chats)
        let rows = try server.execute(
            """
            SELECT id::bigint FROM images WHERE \(sql) AND id > $2 AND processing_status::text = 'completed'
            ORDER BY id LIMIT $3
            """,
            [parameter, .int64(id), .int64(Int64(length))]
        ).rows
        return rows.last?.int64(0).map { $0 + 1 } ?? .max
    }

    package func uniqueIDs(of images: [Int64]) throws(CatalogError) -> [Int64: String] {
        let rows = try server.execute(
            "SELECT id::bigint, file_unique_id::text FROM images WHERE id = ANY ($1)",
            [.int64s(images)]
        ).rows
        return Dictionary(rows.map { ($0.int64(0) ?? 0, $0.text(1) ?? "") }) { $1 }
    }

    package func chats(ofImages images: [Int64]) throws(CatalogError) -> [Int64: Int64] {
        guard schema.has("chat_id", in: "images") else { return [:] }
        let rows = try server.execute(
            "SELECT id::bigint, chat_id::bigint FROM images WHERE id = ANY ($1) AND chat_id IS NOT NULL",
            [.int64s(images)]
        ).rows
        return Dictionary(rows.map { ($0.int64(0) ?? 0, $0.int64(1) ?? 0) }) { $1 }
    }

    package func owners(required: Bool) throws(CatalogError) -> Owners? {
        guard try hasOwners(required: required) else { return nil }
        return try server.run { connection in
            let users = try connection.execute(
                "SELECT id::bigint, user_id::bigint FROM users WHERE user_id IS NOT NULL"
            ).rows
            let chats = try connection.execute(
                "SELECT id::bigint, chat_id::bigint, user_id::bigint FROM chats WHERE user_id IS NOT NULL"
            ).rows
            return Owners(
                users: users.map { (id: $0.int64(0) ?? 0, telegramID: $0.int64(1) ?? 0) },
                chats: chats.map { (id: $0.int64(0) ?? 0, telegramID: $0.int64(1), owner: $0.int64(2) ?? 0) }
            )
        }
    }

    private func hasOwners(required: Bool) throws(CatalogError) -> Bool {
        do throws(CatalogError) {
            try schema.requireOwners(file: name)
            return true
        } catch {
            guard required else { return false }
            throw error
        }
    }

    package func chat(telegramID: Int64) throws(CatalogError) -> Int64? {
        try schema.require(["id", "chat_id"], in: "chats", file: name)
        return try server.execute("SELECT id::bigint FROM chats WHERE chat_id = $1", [.int64(telegramID)])
            .rows.first?.int64(0)
    }

    package func details(of image: ImageRecord) throws(CatalogError) -> ImageDetails {
        let hasDate = schema.has("created_at", in: "images")
        let date = hasDate ? "to_char(created_at, 'YYYY-MM-DD HH24:MI:SS')" : "NULL::text"
        let createdAt = try server.execute("SELECT \(date) FROM images WHERE id = $1", [.int64(image.id)])
            .rows.first?.text(0)
        guard schema.has("id", in: "chats"), let chat = image.chatID else {
            return ImageDetails(createdAt: createdAt, chatID: nil, chatTitle: nil)
        }
        let id = schema.has("chat_id", in: "chats") ? "chat_id::bigint" : "NULL::bigint"
        let title = schema.has("title", in: "chats") ? "left(title::text, 400)" : "NULL::text"
        let row = try server.execute("SELECT \(id), \(title) FROM chats WHERE id = $1", [.int64(chat)]).rows.first
        return ImageDetails(createdAt: createdAt, chatID: row?.int64(0), chatTitle: row?.text(1))
    }

    package func count(_ table: String) throws(CatalogError) -> Int? {
        guard schema.has("id", in: table), MainSchema.tables.contains(table) else { return nil }
        return Int(try server.execute("SELECT count(*) FROM \(table)").rows.first?.int64(0) ?? 0)
    }

    /// Counts the rows that were written, by the server's statistics, which may come ten seconds late; a new row is noticed
    /// at once.
    package func dataVersion() throws(CatalogError) -> Int {
        let result = try server.execute(
            """
            SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint
                + coalesce((SELECT max(id) FROM images), 0) FROM pg_stat_all_tables
            WHERE relid = to_regclass('images')
            """
        )
        return Int(result.rows.first?.int64(0) ?? 0)
    }
}
