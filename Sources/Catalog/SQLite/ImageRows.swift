import GRDB
import SystemPackage
import Vectors

/// How a row of the bot's `images` is selected and read, whatever a driver wrote into it.
struct ImageRows {
    /// What stands between SELECT and FROM.
    let columns: String
    private let pathCount: Int

    init(_ schema: MainSchema) {
        let paths = schema.pathColumns
        pathCount = paths.count
        let limit = EmbeddingBlob.maximumByteCount
        columns = """
            id, file_unique_id, \(schema.has("chat_id", in: "images") ? "chat_id" : "NULL"),
                processing_status IS 'completed', typeof(embedding),
                CASE WHEN typeof(embedding) = 'blob' AND length(embedding) <= \(limit) THEN embedding END,
                CAST(substr(embedding_model, 1, 200) AS BLOB),
                \(schema.has("mode_used", in: "images") ? "CAST(substr(mode_used, 1, 50) AS BLOB)" : "NULL"),
                \(paths.map { "CAST(substr(\($0), 1, 4096) AS BLOB)" }.joined(separator: ", "))
            """
    }

    func record(_ row: Row) -> ImageRecord {
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
            paths: (0..<pathCount).compactMap { row.bytes(at: 8 + $0).flatMap(Self.path) },
            stored: stored,
            label: row.bytes(at: 6).map { String(decoding: $0, as: UTF8.self) },
            mode: row.bytes(at: 7).map { String(decoding: $0, as: UTF8.self) }
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

/// A list of ids as a statement's one argument, for `IN (SELECT value FROM json_each(?))`.
func jsonArray(_ ids: some Sequence<Int64>) -> String { "[" + ids.map(String.init).joined(separator: ",") + "]" }
