import GRDB
package import Vectors

/// The embedding spaces of our database.
///
/// Answers come from one of them, the active one. Another model's vectors are gathered in a space beside it, which takes
/// its place in one statement when it is complete; the bot's rows follow in batches. A crash before that statement leaves
/// the old space active and whole, one after it the new.
extension SQLiteVectorDatabase {
    /// The spaces: the active one, those that were active before, the latest first, and those that never were.
    package func spaces() throws(CatalogError) -> [StoredSpace] {
        try read { db in
            let sql = """
                SELECT id, model, weights_digest, preprocessing_version, dimension, activation FROM spaces
                ORDER BY activation DESC, id
                """
            return try Row.fetchAll(db, sql: sql).map { row in
                let space = EmbeddingSpace(
                    model: row[1],
                    weightsDigest: row[2],
                    preprocessingVersion: row[3],
                    dimension: row[4]
                )
                return StoredSpace(id: row[0], space: space, activation: row[5])
            }
        }
    }

    package func add(_ space: EmbeddingSpace) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO spaces (model, weights_digest, preprocessing_version, dimension, activation)
                    VALUES (?, ?, ?, ?, 0) ON CONFLICT DO NOTHING
                    """,
                arguments: [space.model, space.weightsDigest, space.preprocessingVersion, space.dimension]
            )
        }
    }

    /// Makes a space the one that answers come from.
    package func activate(_ space: StoredSpace) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: "UPDATE spaces SET activation = (SELECT max(activation) + 1 FROM spaces) WHERE id = ?",
                arguments: [space.id]
            )
        }
    }

    /// Removes all vectors of a space that is not active; the space's name stays, and can be filled again.
    ///
    /// First it is barred from becoming active again; then its vectors go in short transactions, so that searches go on.
    ///
    /// - Returns: How many there were.
    package func purge(_ space: StoredSpace, progress: (_ removed: Int) -> Void) throws(CatalogError) -> Int {
        try requireInactive(space)
        try write { try $0.execute(sql: "UPDATE spaces SET activation = 0 WHERE id = ?", arguments: [space.id]) }
        if case .loaded = indexExtension { try write { try VectorIndex(space).drop($0) } }
        var removed = 0
        while true {
            let count = try write { db in
                try db.execute(
                    sql: "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors WHERE space_id = ? LIMIT 2000)",
                    arguments: [space.id]
                )
                return db.changesCount
            }
            guard count > 0 else { break }
            removed += count
            progress(removed)
        }
        try write { try $0.execute(sql: "DELETE FROM failures WHERE space_id = ?", arguments: [space.id]) }
        return removed
    }
}
