import FoundationEssentials
import GRDB

/// What a copy of a space in memory is made of and kept up to date with.
extension SQLiteVectorDatabase {
    package func vectors(
        of space: StoredSpace,
        after mark: StreamMark,
        count: Int
    ) throws(CatalogError) -> (page: [StreamedVector], mark: StreamMark) {
        try read { db in
            let newest = try Int64.fetchOne(db, sql: "SELECT max(id) FROM vectors") ?? 0
            let statement = try db.cachedStatement(
                sql: "SELECT id, image_id, blob FROM vectors WHERE id > ? AND space_id = ? ORDER BY id LIMIT ?"
            )
            let rows = newest > mark.id ? try Row.fetchAll(statement, arguments: [mark.id, space.id, count]) : []
            let page = rows.map { row in
                StreamedVector(imageID: row[1], components: Array((row.bytes(at: 2) ?? []).dropFirst(4)))
            }
            return (page, StreamMark(id: page.count == count ? rows.last?[0] ?? newest : newest))
        }
    }

    /// The embeddings of some images in a space; those that are gone or damaged are left out.
    package func embeddings(of images: [Int64], in space: StoredSpace) throws(CatalogError) -> [(Int64, [UInt8])] {
        try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT image_id, blob FROM vectors
                    WHERE space_id = ? AND image_id IN (SELECT value FROM json_each(?))
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.id, jsonArray(images)]).map { row in
                (row[0], row.bytes(at: 1) ?? [])
            }
        }
    }
}

extension SQLiteMainDatabase {
    /// The chats of some images.
    package func chats(ofImages images: [Int64]) throws(CatalogError) -> [Int64: Int64] {
        guard schema.has("chat_id", in: "images") else { return [:] }
        return try read { db in
            let statement = try db.cachedStatement(
                sql:
                    "SELECT id, chat_id FROM images WHERE id IN (SELECT value FROM json_each(?)) AND chat_id IS NOT NULL"
            )
            let rows = try Row.fetchAll(statement, arguments: [jsonArray(images)])
            return Dictionary(rows.compactMap { row in Int64.fromDatabaseValue(row[1]).map { (row[0], $0) } }) { $1 }
        }
    }
}
