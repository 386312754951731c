import ArgumentParser
import Catalog
import Foundation
import PostgreSQL
import Similarity
import SystemPackage
import TestSupport
import Vectors

/// The ten nearest at a server, in milliseconds a query and with their recall, beside the program's own search on a file.
///
/// The vectors are those of `search-stage`. The database must have been made by `server-library` with as many images.
struct ServerSearch: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "server-search")

    @Option(help: "The database's address.")
    var address: String

    @Option(help: "How many vectors.")
    var count = 200_000

    @Option(help: "Components of each.")
    var dimension = 512

    @Option(help: "How many questions.")
    var queries = 100

    func run() throws {
        try withTemporaryFolder { folder in
            let file = try SearchLibrary(folder, count: count, dimension: dimension)
            let server = PostgresServer(try PostgresAddress(address), patience: .seconds(60))
            let catalog = Catalog(main: try PostgresMainDatabase(server), vectors: try PostgresVectorDatabase(server))
            var result: [String: Double] = [:]
            let space = try fill(server, file, &result)
            let exact = try ResidentVectors(file.catalog(), space: file.space)
            let index = StoredSearch(catalog, space: space, usesIndex: true)
            var times: [String: [Double]] = [:]
            var found = 0
            for number in 0..<queries {
                let query = file.embedding(count + number)
                let truth = Set(
                    try Self.measure(&times["file_ms", default: []]) { try exact.ranking(.allUsers)(query, 10) }
                )
                let answer = try Self.measure(&times["hnsw_ms", default: []]) {
                    try index.ranking(.allUsers)(query, 10)
                }
                found += truth.intersection(answer).count
                guard answer.count == 10 else { throw ValidationError("\(answer.count) of 10 were found") }
                let person = try Self.measure(&times["one_percent_ms", default: []]) {
                    try index.ranking(.user(1001))(query, 10)
                }
                guard person.count == 10, person.allSatisfy({ $0 % 100 == 0 }) else {
                    throw ValidationError("the scope of one person gives \(person)")
                }
            }
            for (name, values) in times { result[name] = Repetitions.median(values) }
            result["recall_at_10"] = Double(found) / Double(10 * queries)
            print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
        }
    }

    /// Stores all vectors where they are not there yet, and makes the index.
    private func fill(_ server: PostgresServer, _ file: SearchLibrary, _ result: inout [String: Double]) throws
        -> StoredSpace
    {
        let main = try PostgresMainDatabase(server)
        let vectors = try PostgresVectorDatabase(server)
        let store = try PostgresVectorStore(server, main: main, vectors: vectors, space: ServerLibrary.space(dimension))
        guard try vectors.vectorCount(in: store.space) < count else { return store.space }
        var start = ContinuousClock.now
        var last: Int64 = 0
        while true {
            let images = try main.images(inChats: nil, after: last, count: 1000)
            guard let end = images.last?.id else { break }
            last = end
            _ = try store.store(
                images.map { image in
                    NewVector(
                        image: image,
                        embedding: file.embedding(Int(image.id) - 1),
                        source: SourceFile(
                            fingerprint: "f",
                            digest: [UInt8](repeating: 0, count: 32),
                            byteCount: 1,
                            perceptualHash: PerceptualHash(bits: 1)
                        ),
                        origin: .new
                    )
                },
                failures: []
            )
        }
        result["fill_s"] = (ContinuousClock.now - start) / .seconds(1)
        start = .now
        try vectors.rebuildIndex(of: store.space) { _ in }
        result["index_s"] = (ContinuousClock.now - start) / .seconds(1)
        return store.space
    }

    private static func measure(_ times: inout [Double], _ work: () throws -> [TopMatches.Match]) rethrows -> [Int64] {
        let start = ContinuousClock.now
        let found = try work()
        times.append((ContinuousClock.now - start) / .milliseconds(1))
        return found.map(\.id)
    }
}
