import ArgumentParser
import CSQLite
import Foundation
import Similarity
import Vectors

/// Exact search among random vectors in memory beside sqlite-vec's: the ten nearest, in milliseconds a query, in turns.
struct SearchStage: ParsableCommand {
    @Option(help: "How many vectors.")
    var count = 100_000

    @Option(help: "Components of each.")
    var dimension = 512

    @Option(help: "sqlite-vec.")
    var sqliteVec = ".deps/lib/vec0.so"

    func run() throws {
        var state: UInt64 = 1
        func embedding() throws -> Embedding {
            try Embedding(
                normalizing: (0..<dimension).map { _ in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
                }
            )
        }
        let table = try VectorTable(sqliteVec, dimension: dimension)
        let vectors = try VectorMatrix(dimension: dimension, capacity: count) { add in
            for id in 0..<count {
                try embedding().components.withUnsafeBytes { bytes in
                    add(Int64(id), bytes)
                    table.add(Int64(id), bytes)
                }
            }
        }
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<11 {
            let query = try embedding()
            var found: [Int64] = []
            ours.append(
                Self.milliseconds {
                    found = SimilarityService.nearest(to: query, in: vectors, limit: 10).map(\.id)
                }
            )
            var expected: [Int64] = []
            theirs.append(Self.milliseconds { expected = table.nearest(to: query, limit: 10) })
            guard Set(found) == Set(expected) else { throw ValidationError("the two searches differ") }
        }
        let result = ["search_ms": Repetitions.median(ours), "sqlite_vec_ms": Repetitions.median(theirs)]
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }

    private static func milliseconds(_ work: () -> Void) -> Double {
        let start = ContinuousClock.now
        work()
        return (ContinuousClock.now - start) / .milliseconds(1)
    }
}

/// A `vec0` table in memory.
private final class VectorTable {
    private var database: OpaquePointer?
    private var insertion: OpaquePointer?
    private var query: OpaquePointer?

    init(_ path: String, dimension: Int) throws {
        sqlite3_open(":memory:", &database)
        _ = semblance_allow_extensions(database, 1)
        let create = "CREATE VIRTUAL TABLE v USING vec0(e FLOAT[\(dimension)] distance_metric=cosine); BEGIN"
        let select = "SELECT rowid FROM v WHERE e MATCH ? AND k = ? ORDER BY distance"
        guard sqlite3_load_extension(database, path, "sqlite3_vec_init", nil) == SQLITE_OK,
            sqlite3_exec(database, create, nil, nil, nil) == SQLITE_OK,
            sqlite3_prepare_v2(database, "INSERT INTO v (rowid, e) VALUES (?, ?)", -1, &insertion, nil) == SQLITE_OK,
            sqlite3_prepare_v2(database, select, -1, &query, nil) == SQLITE_OK
        else { throw ValidationError("sqlite-vec cannot be used: \(String(cString: sqlite3_errmsg(database)))") }
    }

    deinit {
        sqlite3_finalize(insertion)
        sqlite3_finalize(query)
        sqlite3_close(database)
    }

    func add(_ id: Int64, _ bytes: UnsafeRawBufferPointer) {
        sqlite3_bind_int64(insertion, 1, id)
        sqlite3_bind_blob(insertion, 2, bytes.baseAddress, Int32(bytes.count), nil)
        sqlite3_step(insertion)
        sqlite3_reset(insertion)
    }

    func nearest(to embedding: Embedding, limit: Int32) -> [Int64] {
        embedding.components.withUnsafeBytes { bytes in
            sqlite3_bind_blob(query, 1, bytes.baseAddress, Int32(bytes.count), nil)
            sqlite3_bind_int(query, 2, limit)
            var ids: [Int64] = []
            while sqlite3_step(query) == SQLITE_ROW { ids.append(sqlite3_column_int64(query, 0)) }
            sqlite3_reset(query)
            return ids
        }
    }
}
