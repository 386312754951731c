import FoundationEssentials
import GRDB

/// What a copy of a space in memory is made of and kept up to date with.
extension VectorDatabase {
    /// A stored vector on its way into memory.
    package struct StreamedVector: Sendable {
        /// Higher than that of every vector that was stored before.
        package let id: Int64
        package let imageID: Int64
        /// The components, 32-bit little-endian floats.
        package let components: [UInt8]
    }

    /// The vectors of a space with ids in a range, in the order in which they were stored.
    package func vectors(
        of space: StoredSpace,
        ids: ClosedRange<Int64>,
        count: Int
    ) throws(CatalogError) -> [StreamedVector] {
        try read { db in
            let statement = try db.cachedStatement(
                sql:
                    "SELECT id, image_id, blob FROM vectors WHERE id BETWEEN ? AND ? AND space_id = ? ORDER BY id LIMIT ?"
            )
            let rows = try Row.fetchAll(statement, arguments: [ids.lowerBound, ids.upperBound, space.id, count])
            return rows.map { row in
                StreamedVector(id: row[0], imageID: row[1], components: Array((row.bytes(at: 2) ?? []).dropFirst(4)))
            }
        }
    }

    /// The id of the last vector that was stored, in whatever space; 0 where there is none.
    package func lastVectorID() throws(CatalogError) -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM vectors") ?? 0 }
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

extension MainDatabase {
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
