import FoundationEssentials
import GRDB
package import Vectors

extension SQLiteVectorDatabase {
    /// The vectors of a space, of all images or of those of these ids.
    package func matrix(of space: StoredSpace, images: [Int64]?) throws(CatalogError) -> VectorMatrix {
        let condition = images == nil ? "" : "AND image_id IN (SELECT value FROM json_each(?))"
        var arguments: StatementArguments = [space.id]
        if let images { arguments += [jsonArray(images)] }
        return try read { db in
            let from = "FROM vectors WHERE space_id = ? \(condition)"
            let count = try Int.fetchOne(db, sql: "SELECT count(*) \(from)", arguments: arguments) ?? 0
            return try VectorMatrix(dimension: space.space.dimension, capacity: count) { add in
                let rows = try Row.fetchCursor(
                    db,
                    sql: "SELECT image_id, blob \(from) ORDER BY image_id",
                    arguments: arguments
                )
                while let row = try rows.next() {
                    let id: Int64 = row[0]
                    try row.withUnsafeData(atIndex: 1) { blob in
                        blob?.withUnsafeBytes { bytes in
                            if bytes.count > 4 { add(id, UnsafeRawBufferPointer(rebasing: bytes[4...])) }
                        }
                    }
                }
            }
        }
    }
}
