import PostgreSQL
package import Vectors

/// Search by the server itself: exact within the images of a scope, through pgvector's HNSW graphs for everybody's.
///
/// Vectors have unit length, so that the inner product ranks as the cosine does. A graph is asked for more and more until
/// enough rows came (an iterative scan): a condition on them never leaves fewer than were asked for.
extension PostgresVectorDatabase {
    /// How many of its nearest a graph looks at in one go.
    private static let breadth = 100

    package func hasWholeIndex(of space: StoredSpace) throws(CatalogError) -> Bool { try isVector(space) }

    package func nearest(
        to query: Embedding,
        count: Int,
        in space: StoredSpace,
        images: [Int64]?
    ) throws(CatalogError) -> [(Int64, [UInt8])] {
        guard let pgvector else { return [] }
        let vector = PostgresValue.vector(littleEndian: Array(EmbeddingBlob(query).bytes.dropFirst(4)))
        // Adding nothing keeps the graphs out where all rows are looked at.
        let distance = "embedding OPERATOR(\(pgvector.schema).<#>) $1::\(pgvector.schema).vector"
        let asksGraphs = images == nil && pgvector.hasIterativeScans
        let order = asksGraphs ? distance : "(\(distance)) + 0"
        let sql = """
            SELECT image_id, embedding FROM \(table(space)) \(images == nil ? "" : "WHERE image_id = ANY ($3)")
            ORDER BY \(order) LIMIT $2
            """
        let parameters = [vector, .int64(Int64(count))] + (images.map { [PostgresValue.int64s($0)] } ?? [])
        return try server.transaction { connection in
            if asksGraphs {
                let breadth = min(max(Self.breadth, 2 * count), 1000)
                try connection.run(
                    "SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = \(breadth)"
                )
            }
            return try connection.execute(sql, parameters).rows.map { row in
                (row.int64(0) ?? 0, Self.blob(row, 1, isVector: true))
            }
        }
    }

    /// The server keeps its own indexes true.
    package func indexDifferences(in space: StoredSpace) throws(CatalogError) -> [(Verification.Kind, images: [Int64])]
    {
        []
    }

    package func rebuildIndex(of space: StoredSpace, progress: (_ added: Int) -> Void) throws(CatalogError) {
        guard try isVector(space) else { return }
        var done = 0
        for part in 0..<4 {
            try server.run { connection in
                try connection.withoutLimit {
                    _ = try $0.execute(
                        "SELECT semblance.index_space($1, $2::bigint::integer)",
                        [.int64(space.id), .int64(Int64(part))]
                    )
                }
            }
            let rows = try server.execute("SELECT count(*) FROM \(table(space))_\(part)").rows
            done += Int(rows.first?.int64(0) ?? 0)
            progress(done)
        }
    }
}
