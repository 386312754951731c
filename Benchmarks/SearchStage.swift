import ArgumentParser
import CSQLite
import Catalog
import Foundation
import Similarity
import TestSupport
import Vectors

/// The ten nearest among vectors around a thousand centres, in milliseconds a query, in turns; all answers are compared.
///
/// - resident: 8-bit copies in memory, exact vectors from our database; for everybody, and for one person with a thousand.
/// - scan: exact vectors in memory; sqlite-vec: its own table in memory.
/// - question: what a program does that asks once and ends, through a scan and through the index of our database.
struct SearchStage: ParsableCommand {
    @Option(help: "How many vectors.")
    var count = 100_000

    @Option(help: "Components of each.")
    var dimension = 512

    @Option(help: "sqlite-vec.")
    var sqliteVec = ".deps/lib/vec0.so"

    func run() throws {
        try withTemporaryFolder { folder in
            let library = try SearchLibrary(folder, count: count, dimension: dimension)
            var times: [String: [Double]] = [:]
            let before = Self.residentMegabytes
            let catalog = try library.catalog()
            let resident = try ResidentVectors(catalog, space: library.space)
            let megabytes = Self.residentMegabytes - before
            let queries = (0..<11).map { library.embedding(count + $0) }
            var answers: [[Int64]] = []
            for query in queries {
                try answers.append(
                    Self.measure(&times["resident", default: []]) { try resident.ranking(.allUsers)(query, 10) }
                )
                _ = try Self.measure(&times["resident_user", default: []]) {
                    try resident.ranking(.user(SearchLibrary.person))(query, 10)
                }
            }
            let memory = Self.residentMegabytes - before
            try compare(queries, answers, library, &times)
            if count <= 100_000 { try checkRecall(queries.prefix(3), resident, library) }
            var result = times.mapValues(Repetitions.median)
            result["resident_megabytes"] = max(megabytes, memory)
            print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
        }
    }

    /// The other ways, which have to find the same.
    private func compare(
        _ queries: [Embedding],
        _ answers: [[Int64]],
        _ library: SearchLibrary,
        _ times: inout [String: [Double]]
    ) throws {
        let table = try VectorTable(sqliteVec, dimension: dimension)
        let vectors = VectorMatrix(dimension: dimension, capacity: count) { add in
            for id in 0..<count {
                library.embedding(id).components.withUnsafeBytes { bytes in
                    add(Int64(id + 1), bytes)
                    table.add(Int64(id + 1), bytes)
                }
            }
        }
        let asksOnce = count <= 100_000
        if asksOnce { try library.fillIndex(sqliteVec) }
        for (query, answer) in zip(queries, answers) {
            var found = [answer]
            found.append(
                Self.measure(&times["scan", default: []]) {
                    SimilarityService.nearest(to: query, in: vectors, limit: 10)
                }
            )
            let start = ContinuousClock.now
            found.append(table.nearest(to: query, limit: 10))
            times["sqlite_vec", default: []].append((ContinuousClock.now - start) / .milliseconds(1))
            for (name, usesIndex) in [("question_scan", false), ("question_index", true)] where asksOnce {
                try found.append(
                    Self.measure(&times[name, default: []]) {
                        let catalog = try library.catalog(index: usesIndex ? sqliteVec : nil)
                        let search = StoredSearch(catalog, space: library.space, usesIndex: usesIndex)
                        return try search.ranking(.allUsers)(query, 10)
                    }
                )
            }
            guard Set(found.map { Set($0) }).count == 1 else { throw ValidationError("the searches differ: \(found)") }
        }
    }

    /// Compares the answers for every scope with a plain loop over all vectors.
    private func checkRecall(
        _ queries: some Sequence<Embedding>,
        _ resident: ResidentVectors,
        _ library: SearchLibrary
    ) throws {
        let scopes: [(Scope, (Int) -> Bool)] = [
            (.allUsers, { _ in true }), (.user(SearchLibrary.person), library.isOfPerson),
            (.chat(1), library.isOfPerson),
            (.user(1002), { !library.isOfPerson($0) }), (.chat(2), { !library.isOfPerson($0) }),
        ]
        let index = StoredSearch(try library.catalog(index: sqliteVec), space: library.space, usesIndex: true)
        let scan = StoredSearch(try library.catalog(), space: library.space, usesIndex: false)
        for query in queries {
            let scores = (1...count).map {
                TopMatches.Match(id: Int64($0), score: query.cosine(to: library.embedding($0 - 1)))
            }
            for (scope, isIn) in scopes {
                var best = TopMatches(limit: 10)
                for score in scores where isIn(Int(score.id)) { best.offer(score) }
                for search in [resident, index, scan] as [any NearestSearch] {
                    guard try search.ranking(scope)(query, 10) == best.sorted else {
                        throw ValidationError("a search of \(scope) misses some of the nearest")
                    }
                }
            }
        }
    }

    private static func measure(_ times: inout [Double], _ work: () throws -> [TopMatches.Match]) rethrows -> [Int64] {
        let start = ContinuousClock.now
        let found = try work()
        times.append((ContinuousClock.now - start) / .milliseconds(1))
        return found.map(\.id)
    }

    private static var residentMegabytes: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (Double(line.filter(\.isNumber)) ?? 0) / 1000
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
