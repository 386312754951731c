import Foundation
import GRDB
import Vectors

/// The nearest-neighbour index of one space: a `vec0` table of sqlite-vec, one partition per owner, cosine distance.
///
/// It repeats what the table `vectors` says and can be rebuilt from it at any time. Where sqlite-vec is not there,
/// nothing is indexed, and the next run with sqlite-vec brings the index up to date.
struct VectorIndex {
    private let space: StoredSpace
    private var table: String { "index_\(space.id)" }

    init(_ space: StoredSpace) { self.space = space }

    /// Makes the index where it is missing, and removes rows whose vector is gone.
    ///
    /// - Returns: How many rows were removed.
    func prepare(_ db: Database) throws -> Int {
        try db.execute(
            sql: """
                CREATE VIRTUAL TABLE IF NOT EXISTS \(table) USING vec0(
                    owner INTEGER PARTITION KEY, embedding FLOAT[\(space.space.dimension)] distance_metric=cosine,
                    chunk_size=128
                )
                """
        )
        let extra = try Int64.fetchAll(
            db,
            sql: "SELECT rowid FROM \(table)_rowids WHERE rowid NOT IN (SELECT id FROM vectors WHERE space_id = ?)",
            arguments: [space.id]
        )
        try remove(extra, db)
        return extra.count
    }

    /// Adds some of the vectors that the index lacks.
    ///
    /// - Parameter id: Those after this one.
    /// - Returns: The id of the last one that was added, and how many were.
    func addMissing(after id: Int64, count: Int, _ db: Database) throws -> (last: Int64, count: Int)? {
        let missing = try Row.fetchAll(
            db,
            sql: """
                SELECT id, owner, blob FROM vectors
                WHERE id > ? AND space_id = ? AND NOT EXISTS (SELECT 1 FROM \(table)_rowids r WHERE r.rowid = vectors.id)
                ORDER BY id LIMIT ?
                """,
            arguments: [id, space.id, count]
        )
        for row in missing { try add(row[0], owner: row[1], blob: row.bytes(at: 2) ?? [], db) }
        return missing.last.map { ($0[0], missing.count) }
    }

    /// Whether there is such a table.
    func exists(_ db: Database) throws -> Bool { try db.tableExists(table) }

    /// Removes the index as a whole.
    func drop(_ db: Database) throws { try db.execute(sql: "DROP TABLE IF EXISTS \(table)") }

    /// Where the index says something else than the vectors, by image; rows of no vector are named by their own id.
    func differences(_ db: Database) throws -> [(Verification.Kind, images: [Int64])] {
        guard try exists(db) else { return [] }
        let missing = try Int64.fetchAll(
            db,
            sql: """
                SELECT image_id FROM vectors
                WHERE space_id = ? AND id NOT IN (SELECT rowid FROM \(table)_rowids) ORDER BY image_id
                """,
            arguments: [space.id]
        )
        let orphans = try Int64.fetchAll(
            db,
            sql: "SELECT rowid FROM \(table)_rowids WHERE rowid NOT IN (SELECT id FROM vectors WHERE space_id = ?)",
            arguments: [space.id]
        )
        var different: [Int64] = []
        let rows = try Row.fetchCursor(
            db,
            sql: "SELECT v.image_id, v.blob, i.embedding FROM \(table) i JOIN vectors v ON v.id = i.rowid"
        )
        while let row = try rows.next() {
            if (row.bytes(at: 1) ?? []).dropFirst(4) != (row.bytes(at: 2) ?? [])[...] { different.append(row[0]) }
        }
        return [(.notInIndex, missing), (.indexOrphan, orphans), (.indexDiffers, different.sorted())]
    }

    /// Adds a vector; the index takes the floats without the dimension before them.
    func add(_ id: Int64, owner: Int64?, blob: [UInt8], _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT INTO \(table) (rowid, owner, embedding) VALUES (?, ?, ?)")
            .execute(arguments: [id, owner ?? Self.nobody, floats(of: blob)])
    }

    func remove(_ ids: [Int64], _ db: Database) throws {
        for id in ids {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE rowid = ?").execute(arguments: [id])
        }
    }

    /// Whether it has as many rows as there are vectors.
    func isWhole(_ db: Database) throws -> Bool {
        guard try exists(db) else { return false }
        let sql = "SELECT (SELECT count(*) FROM \(table)_rowids) = (SELECT count(*) FROM vectors WHERE space_id = ?)"
        return try Bool.fetchOne(db, sql: sql, arguments: [space.id]) ?? false
    }

    /// The vectors nearest to one, nearest first by the index's own arithmetic.
    ///
    /// - Parameters:
    ///   - count: At most 4096, by sqlite-vec's own rule.
    ///   - images: The images whose vectors are looked at, as a list in JSON; `nil` for all.
    func nearest(
        to embedding: Embedding,
        count: Int,
        images: String? = nil,
        _ db: Database
    ) throws -> [(Int64, [UInt8])] {
        let chosen = "SELECT id FROM vectors WHERE space_id = ? AND image_id IN (SELECT value FROM json_each(?))"
        var arguments: StatementArguments = [floats(of: EmbeddingBlob(embedding).bytes), count]
        if let images { arguments += [space.id, images] }
        let rows = try Row.fetchAll(
            db,
            sql: """
                WITH found AS MATERIALIZED (
                    SELECT rowid FROM \(table)
                    WHERE embedding MATCH ? AND k = ? \(images == nil ? "" : "AND rowid IN (\(chosen))"))
                SELECT v.image_id, v.blob FROM found JOIN vectors v ON v.id = found.rowid
                """,
            arguments: arguments
        )
        return rows.map { ($0[0], $0.bytes(at: 1) ?? []) }
    }

    private func floats(of blob: [UInt8]) -> Data { Data(blob.dropFirst(4)) }

    /// The partition of images whose chat belongs to nobody that is known.
    private static let nobody: Int64 = 0
}
