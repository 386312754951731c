import GRDB
import SystemPackage
import Vectors

/// The bot's images, page by page in the order of their ids: memory and read transactions stay small however many
/// there are.
struct ImagePages {
    private let main: MainDatabase
    private let sql: String
    private let pathCount: Int
    private let pageSize: Int
    private let chats: String?
    private var last: Int64 = .min

    /// - Parameter chats: The internal ids of the chats whose images are wanted; `nil` for all.
    init(_ main: MainDatabase, chats: [Int64]?, pageSize: Int = 500) {
        self.main = main
        self.pageSize = pageSize
        self.chats = chats.map { "[" + $0.map(String.init).joined(separator: ",") + "]" }
        let paths = main.schema.pathColumns
        pathCount = paths.count
        let hasChats = main.schema.has("chat_id", in: "images")
        let limit = EmbeddingBlob.maximumByteCount
        sql = """
            SELECT id, file_unique_id, \(hasChats ? "chat_id" : "NULL"), processing_status IS 'completed',
                typeof(embedding),
                CASE WHEN typeof(embedding) = 'blob' AND length(embedding) <= \(limit) THEN embedding END,
                CAST(substr(embedding_model, 1, 200) AS BLOB),
                \(paths.map { "CAST(substr(\($0), 1, 4096) AS BLOB)" }.joined(separator: ", "))
            FROM images
            WHERE id > ? \(chats == nil ? "" : "AND chat_id IN (SELECT value FROM json_each(?))")
            ORDER BY id LIMIT ?
            """
    }

    /// The next page; empty at the end.
    mutating func next() throws(CatalogError) -> [ImageRecord] {
        let page = try read(after: last, limit: pageSize)
        if let id = page.last?.id { last = id }
        return page
    }

    /// The next page of a damaged database: rows that cannot be read are passed over and counted.
    ///
    /// Where a page of rows fails, they are read one by one; behind a row that fails, the next id is tried, and after a
    /// thousand in a row that fail, ever larger steps.
    mutating func nextReadable(passedOver: inout Int) throws(CatalogError) -> [ImageRecord] {
        var failures = 0
        while true {
            do throws(CatalogError) {
                let page = try read(after: last, limit: failures == 0 ? pageSize : 1)
                if let id = page.last?.id { last = id }
                return page
            } catch  where error.code == .corrupt {
                failures += 1
                guard failures > 1 else { continue }
                let step = failures < 1000 ? 1 : Int64(1) << min(Int64(failures - 999), 62)
                let (next, isOver) = max(last, 0).addingReportingOverflow(step)
                guard !isOver else { return [] }
                last = next
                passedOver += 1
            }
        }
    }

    private func read(after id: Int64, limit: Int) throws(CatalogError) -> [ImageRecord] {
        try main.read { db in
            var arguments: StatementArguments = [id]
            if let chats { arguments += [chats] }
            arguments += [limit]
            let rows = try Row.fetchCursor(try db.cachedStatement(sql: sql), arguments: arguments)
            var page: [ImageRecord] = []
            while let row = try rows.next() { page.append(record(row)) }
            return page
        }
    }

    private func record(_ row: Row) -> ImageRecord {
        let stored: ImageRecord.StoredValue =
            switch row[4] as String {
            case "null": .nothing
            case "blob": row.bytes(at: 5).map { .blob($0) } ?? .tooLarge
            default: .notABlob
            }
        return ImageRecord(
            id: row[0],
            fileUniqueID: (row[1] as DatabaseValue).text,
            chatID: Int64.fromDatabaseValue(row[2]),
            isCompleted: row[3],
            paths: (0..<pathCount).compactMap { row.bytes(at: 7 + $0).flatMap(Self.path) },
            stored: stored,
            label: row.bytes(at: 6).map { String(decoding: $0, as: UTF8.self) }
        )
    }

    /// A path of bytes, which need not be UTF-8; one with a NUL inside names no file.
    private static func path(_ bytes: [UInt8]) -> FilePath? {
        guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
        return (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { FilePath(platformString: $0) } }
        }
    }
}
