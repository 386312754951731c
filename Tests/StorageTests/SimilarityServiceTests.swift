import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import Catalog
@testable import Similarity

/// The ways to rank vectors, which all have to pass the same tests.
enum SearchWay: CaseIterable {
    /// On files: all vectors one by one, through sqlite-vec, in memory.
    case scan, index, resident
    /// At a server: through pgvector, in memory, and all vectors one by one where there is no pgvector.
    case server, serverResident, serverScan

    var isIndexed: Bool { self == .index || self == .server }
    var isResident: Bool { self == .resident || self == .serverResident }
}

@Suite("The similarity service")
struct SimilarityServiceTests {
    private static let spaces = ["aa", "bb"].map { digest in
        EmbeddingSpace(model: "tiny", weightsDigest: digest, preprocessingVersion: 1, dimension: 8)
    }

    /// A bot with two people, each with a private chat and one of them with a group, and our database.
    private final class Setting {
        let bot: any BotTables
        let catalog: Catalog
        private let way: SearchWay
        private let storage: any Storage
        private var store: any VectorStore
        private var resident: ResidentVectors?
        /// What each image's vector is, by id, as the test knows it.
        var truth: [Int64: Embedding] = [:]
        /// Each image's chat.
        var chats: [Int64: Int64] = [:]

        init(_ bot: any BotTables, _ storage: any Storage, _ way: SearchWay) throws {
            (self.bot, self.storage, self.way) = (bot, storage, way)
            try bot.addUser(id: 1, telegramID: 1001)
            try bot.addUser(id: 2, telegramID: 1002)
            try bot.addChat(id: 1, telegramID: 1001, owner: 1, type: "private")
            try bot.addChat(id: 2, telegramID: 1002, owner: 1002, type: "private")
            try bot.addChat(id: 3, telegramID: -5, owner: 1001, type: "group")
            store = try storage.store(spaces[0])
            catalog = Catalog(main: storage.main, vectors: store.vectors)
        }

        /// The service for the space that is active now.
        var service: SimilarityService {
            get throws {
                if way.isResident, resident == nil { resident = try ResidentVectors(catalog, space: store.space) }
                let search: any NearestSearch =
                    resident ?? StoredSearch(catalog, space: store.space, usesIndex: way.isIndexed)
                return SimilarityService(catalog, space: store.space, search: search)
            }
        }

        /// Writes the marks that the last batch left open.
        func finish() throws { try store.finish() }

        /// Removes the vectors of deleted images.
        func sweep() throws { #expect(try store.vectors.removeOrphans(by: catalog.main).isPlausible) }

        /// What a service does now and then, so that images are found in the chat that they are in.
        func synchronise() throws { try resident?.synchronise() }

        /// Another program that writes into the same databases.
        func connectAnew() throws -> Writer { Writer(main: storage.main, store: try storage.store(store.space.space)) }

        /// A second connection to both databases.
        struct Writer: Sendable {
            let main: any MainDatabase
            let store: any VectorStore

            func embed(_ id: Int64, _ embedding: Embedding) throws {
                guard let image = try main.images([id]).first else { return }
                _ = try store.store([Setting.vector(image, embedding)], failures: [])
            }
        }

        /// Gives every image a vector of the other space and lets that answer.
        func changeSpace(_ numbers: () -> [Float]) throws {
            let other = spaces.first { $0 != store.space.space } ?? spaces[0]
            let next = try storage.store(other)
            let images = try catalog.main.images(truth.keys.sorted())
            for image in images {
                let embedding = try Embedding(normalizing: numbers())
                _ = try next.store([Self.vector(image, embedding)], failures: [])
                truth[image.id] = embedding
            }
            try next.activate()
            // The bot's rows follow later: some are left behind here, as if the program had died on the way.
            _ = try next.publish(images.filter { $0.id % 3 != 0 })
            (store, resident) = (next, nil)
        }

        private static func vector(_ image: ImageRecord, _ embedding: Embedding) -> NewVector {
            let source = SourceFile(
                fingerprint: "f",
                digest: [UInt8](repeating: 1, count: 32),
                byteCount: 1,
                perceptualHash: PerceptualHash(bits: 1)
            )
            return NewVector(image: image, embedding: embedding, source: source, origin: .new)
        }

        /// Adds an image and embeds it.
        func add(_ id: Int64, chat: Int64, _ numbers: [Float], uniqueID: String? = nil) throws {
            try bot.addImage(id: id, chat: chat, path: "\(id).jpg", uniqueID: uniqueID)
            try embed(id, numbers)
            chats[id] = chat
        }

        /// Gives an image that is there a vector.
        func embed(_ id: Int64, _ numbers: [Float]) throws {
            let image = try #require(try catalog.main.images([id]).first)
            let embedding = try Embedding(normalizing: numbers)
            _ = try store.store([Self.vector(image, embedding)], failures: [])
            truth[id] = embedding
        }

        func remove(_ id: Int64) throws {
            try bot.change("DELETE FROM images WHERE id = \(id)")
            (truth[id], chats[id]) = (nil, nil)
        }

        /// What a plain loop over what the test knows finds.
        func bruteForce(
            _ query: Embedding,
            excluding: Int64?,
            inChats: Set<Int64>,
            limit: Int,
            threshold: Float
        ) -> [Int64] {
            truth.filter { $0.key != excluding && inChats.contains(chats[$0.key] ?? 0) }
                .map { (id: $0.key, score: Self.dot(query, $0.value)) }
                .filter { $0.score >= threshold }
                .sorted { ($1.score, $0.id) < ($0.score, $1.id) }.prefix(limit).map(\.id)
        }

        private static func dot(_ left: Embedding, _ right: Embedding) -> Float {
            zip(left.components, right.components).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        }
    }

    private func withSetting(_ way: SearchWay, _ body: (Setting) throws -> Void) throws {
        switch way {
        case .scan, .index, .resident:
            try withTemporaryFolder { folder in
                let files = try Files(folder, isIndexed: way == .index)
                try body(Setting(files.bot, files, way))
            }
        case .server, .serverResident, .serverScan:
            let cluster = way == .serverScan ? PostgresCluster.plain : PostgresCluster.shared
            try cluster.get().withDatabase { bot in
                let server = try Server(bot, hasPGVector: way != .serverScan)
                try body(Setting(bot, server, way))
            }
        }
    }

    private func ids(_ hits: [SimilarityService.Hit]) -> [Int64] { hits.map(\.image.id) }

    /// A vector at an angle to the first axis.
    private func angle(_ degrees: Float, turnedTo axis: Int = 1) -> [Float] {
        var numbers = [Float](repeating: 0, count: 8)
        numbers[0] = Float(cos(Double(degrees) * .pi / 180))
        numbers[axis] = Float(sin(Double(degrees) * .pi / 180))
        return numbers
    }

    @Test(
        "finds the nearest first, never the image itself, of equal ones the lower id, and keeps the threshold",
        arguments: SearchWay.allCases
    )
    func order(way: SearchWay) throws {
        try withSetting(way) { setting in
            try setting.add(1, chat: 1, angle(0))
            try setting.add(5, chat: 1, angle(20))
            try setting.add(3, chat: 1, angle(20))
            try setting.add(4, chat: 3, angle(10))
            try setting.add(2, chat: 1, angle(80))
            let query = try #require(setting.truth[1])
            let near = try setting.service.findSimilarImages(to: query, excluding: 1, scope: .user(1001))
            #expect(ids(near) == [4, 3, 5])
            #expect(abs(near[0].cosine - Float(cos(10 * Double.pi / 180))) < 1e-6)
            let two = try setting.service.findSimilarImages(to: query, excluding: 1, scope: .user(1001), limit: 2)
            #expect(ids(two) == [4, 3])
            let all = try setting.service.findSimilarImages(
                to: query,
                excluding: 1,
                scope: .user(1001),
                limit: 100,
                threshold: -1
            )
            #expect(ids(all) == [4, 3, 5, 2])
            #expect(try setting.service.findSimilarImages(to: query, scope: .user(1001), limit: 0).isEmpty)
        }
    }

    @Test("keeps people and chats apart", arguments: SearchWay.allCases)
    func scopes(way: SearchWay) throws {
        try withSetting(way) { setting in
            try setting.add(1, chat: 1, angle(0))
            try setting.add(2, chat: 2, angle(0))
            try setting.add(3, chat: 3, angle(0))
            let query = try #require(setting.truth[1])
            func found(_ scope: Scope) throws -> [Int64] {
                ids(try setting.service.findSimilarImages(to: query, scope: scope))
            }
            #expect(try found(.user(1001)) == [1, 3])
            #expect(try found(.user(1002)) == [2])
            #expect(try found(.chat(3)) == [3])
            #expect(try found(.allUsers) == [1, 2, 3])
            #expect(throws: CatalogError.self) { try found(.user(9)) }
            try setting.bot.change("UPDATE images SET chat_id = 2 WHERE id = 3")
            try setting.synchronise()
            #expect(try found(.user(1001)) == [1])
            #expect(try found(.user(1002)) == [2, 3])
        }
    }

    @Test(
        "finds exactly as many as asked for, although the nearest are deleted, exchanged or overwritten",
        arguments: SearchWay.allCases
    )
    func confirmed(way: SearchWay) throws {
        try withSetting(way) { setting in
            try setting.add(1, chat: 1, angle(0))
            for id in 2...60 { try setting.add(Int64(id), chat: 1, angle(Float(id) / 4)) }
            for id in 2...30 { try setting.bot.change("DELETE FROM images WHERE id = \(id)") }
            try setting.bot.addImage(id: 2, chat: 1, path: "x", uniqueID: "another")
            try setting.bot.overwrite(31, [0])
            try setting.bot.change("UPDATE images SET embedding_model = 'other' WHERE id = 32")
            try setting.bot.change("UPDATE images SET processing_status = 'failed' WHERE id = 33")
            try setting.bot.change("UPDATE images SET file_unique_id = 'new' WHERE id = 34")
            let query = try #require(setting.truth[1])
            for scope in [Scope.user(1001), .chat(1), .allUsers] {
                let hits = try setting.service.findSimilarImages(to: query, excluding: 1, scope: scope, limit: 5)
                #expect(ids(hits) == [35, 36, 37, 38, 39])
            }
        }
    }

    @Test("misses nothing where the nearest vectors have left our database since", arguments: SearchWay.allCases)
    func removed(way: SearchWay) throws {
        try withSetting(way) { setting in
            for id in 1...60 { try setting.add(Int64(id), chat: 1, angle(Float(id) / 4)) }
            let query = try #require(setting.truth[1])
            let service = try setting.service
            #expect(ids(try service.findSimilarImages(to: query, scope: .user(1001))) == [1, 2, 3, 4, 5])
            try setting.bot.change("DELETE FROM images WHERE id <= 40")
            try setting.sweep()
            #expect(ids(try service.findSimilarImages(to: query, scope: .user(1001))) == [41, 42, 43, 44, 45])
            #expect(ids(try service.findSimilarImages(to: query, scope: .allUsers, limit: 100)).count == 20)
        }
    }

    @Test("misses nothing where the index has lost rows")
    func lostRows() throws {
        try withTemporaryFolder { folder in
            let files = try Files(folder, isIndexed: true)
            let setting = try Setting(files.bot, files, .index)
            for id in 1...20 { try setting.add(Int64(id), chat: 1, angle(Float(id))) }
            try files.loseFromIndex([1, 3])
            let query = try #require(setting.truth[1])
            let hits = try setting.service.findSimilarImages(to: query, scope: .user(1001))
            #expect(ids(hits) == [1, 2, 3, 4, 5])
        }
    }

    @Test(
        "never shows an image in the chat that it was in, even before a service has noticed the move",
        arguments: [SearchWay.resident, .serverResident]
    )
    func moved(way: SearchWay) throws {
        try withSetting(way) { setting in
            for id in 1...5 { try setting.add(Int64(id), chat: 1, angle(Float(id))) }
            let query = try #require(setting.truth[1])
            let before = try setting.service.findSimilarImages(to: query, scope: .user(1001))
            #expect(ids(before) == [1, 2, 3, 4, 5])
            try setting.bot.change("UPDATE images SET chat_id = 2 WHERE id IN (2, 4)")
            #expect(ids(try setting.service.findSimilarImages(to: query, scope: .user(1001))) == [1, 3, 5])
            try setting.synchronise()
            #expect(ids(try setting.service.findSimilarImages(to: query, scope: .user(1002))) == [2, 4])
        }
    }

    @Test(
        "gives each image the cosine of a vector that it really had, while another connection writes",
        arguments: SearchWay.allCases
    )
    func duringWrites(way: SearchWay) throws {
        try withSetting(way) { setting in
            for id in 1...30 { try setting.add(Int64(id), chat: 1, angle(Float(id))) }
            let service = try setting.service
            let writer = try setting.connectAnew()
            let query = try Embedding(normalizing: angle(0))
            let versions = try (0...2).map { version in
                try (1...30).map { try Embedding(normalizing: angle(Float($0 + 30 * version))) }
            }
            let writing = Thread {
                for round in 1...40 {
                    for id in 1...30 { try? writer.embed(Int64(id), versions[round % 3][id - 1]) }
                }
            }
            writing.start()
            while !writing.isFinished {
                let hits = try service.findSimilarImages(to: query, scope: .user(1001), limit: 50, threshold: -1)
                #expect(Set(hits.map(\.image.id)).count == hits.count)
                for hit in hits {
                    let cosines = versions.map { query.cosine(to: $0[Int(hit.image.id) - 1]) }
                    #expect(cosines.contains(hit.cosine), "image \(hit.image.id)")
                }
            }
        }
    }

    @Test("is asked for nothing sensible: gives nothing, or everything, and never fails", arguments: SearchWay.allCases)
    func extremes(way: SearchWay) throws {
        try withSetting(way) { setting in
            let query = try Embedding(normalizing: angle(0))
            #expect(try setting.service.findSimilarImages(to: query, scope: .allUsers).isEmpty)
            for id in 1...40 { try setting.add(Int64(id), chat: 1, angle(10)) }
            func found(_ limit: Int, _ threshold: Float, _ query: Embedding? = nil) throws -> [Int64] {
                let query = try query ?? Embedding(normalizing: angle(0))
                return ids(
                    try setting.service.findSimilarImages(
                        to: query,
                        scope: .allUsers,
                        limit: limit,
                        threshold: threshold
                    )
                )
            }
            for limit in [0, -1, .min] { #expect(try found(limit, 0).isEmpty) }
            #expect(try found(100_000, -1) == Array(1...40))
            #expect(try found(7, 0.5) == Array(1...7), "of equal ones the lower ids")
            for threshold in [Float.nan, .infinity, 1.5] { #expect(try found(5, threshold).isEmpty) }
            #expect(try found(5, -.infinity) == Array(1...5))
            #expect(try found(5, -1, Embedding(normalizing: [1, 2, 3])).isEmpty, "a vector of another dimension")
        }
    }

    @Test("never leaks, misses or doubles an image through 2,000 random changes", arguments: SearchWay.allCases)
    func fuzz(way: SearchWay) throws {
        try withSetting(way) { setting in
            var random = SeededGenerator(seed: 7)
            func numbers() -> [Float] { (0..<8).map { _ in Float.random(in: -1...1, using: &random) } }
            var next = 0
            for step in 0..<2000 {
                let id = Int64.random(in: 1...40, using: &random)
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<50 where setting.truth[id] == nil:
                    next += 1
                    let chat = Int64.random(in: 1...3, using: &random)
                    try setting.add(id, chat: chat, numbers(), uniqueID: "picture\(next)")
                case 50..<70 where setting.truth[id] != nil: try setting.remove(id)
                case 70..<80 where setting.truth[id] != nil: try setting.embed(id, numbers())
                case 80..<88 where setting.truth[id] != nil:
                    let chat = Int64.random(in: 1...3, using: &random)
                    try setting.bot.change("UPDATE images SET chat_id = \(chat) WHERE id = \(id)")
                    setting.chats[id] = chat
                    try setting.synchronise()
                case 88..<98 where setting.truth[id] != nil:
                    try setting.finish()
                    try setting.bot.overwrite(id, [8, 0])
                    setting.truth[id] = nil
                    // Where a change of the space left the row behind, our vector counts whatever the row holds.
                    if id % 3 != 0 { try expectAgreement(setting, numbers(), step) }
                    try setting.remove(id)
                case 98: try setting.changeSpace(numbers)
                default: break
                }
                if step % 8 == 0 { try expectAgreement(setting, numbers(), step) }
            }
        }
    }

    /// Compares the answers for every scope with what a plain loop finds.
    private func expectAgreement(_ setting: Setting, _ numbers: [Float], _ step: Int) throws {
        let query = try Embedding(normalizing: numbers)
        let excluded = setting.truth.keys.min()
        let scopes: [(Scope, Set<Int64>)] = [
            (.user(1001), [1, 3]), (.user(1002), [2]), (.chat(3), [3]), (.allUsers, [1, 2, 3]),
        ]
        for (scope, chats) in scopes {
            let hits = try setting.service.findSimilarImages(
                to: query,
                excluding: excluded,
                scope: scope,
                limit: 7,
                threshold: 0.1
            )
            let expected = setting.bruteForce(query, excluding: excluded, inChats: chats, limit: 7, threshold: 0.1)
            #expect(ids(hits) == expected, "step \(step)")
        }
    }
}
