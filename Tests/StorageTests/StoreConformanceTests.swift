import Glibc
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import Catalog

@Suite("Every store, files or server,")
struct StoreConformanceTests {
    private static let space = EmbeddingSpace(model: "tiny", weightsDigest: "aa", preprocessingVersion: 1, dimension: 8)
    private static let other = EmbeddingSpace(model: "new", weightsDigest: "bb", preprocessingVersion: 2, dimension: 8)

    /// A bot with two people and a group, and images 1 to 9: three in each chat.
    private struct Setting {
        let bot: any BotTables
        let storage: any Storage
        var main: any MainDatabase { storage.main }

        func store(_ space: EmbeddingSpace = StoreConformanceTests.space) throws -> any VectorStore {
            try storage.store(space)
        }

        func images(_ ids: [Int64] = Array(1...9)) throws -> [ImageRecord] { try main.images(ids) }

        func vector(_ image: ImageRecord, seed: UInt64 = 0) throws -> NewVector {
            var random = SeededGenerator(seed: UInt64(image.id) + 1000 * seed)
            let numbers = (0..<8).map { _ in Float.random(in: -1...1, using: &random) }
            return NewVector(
                image: image,
                embedding: try Embedding(normalizing: numbers),
                source: SourceFile(
                    fingerprint: "f\(image.id)",
                    digest: [UInt8](repeating: UInt8(image.id & 0xFF), count: 32),
                    byteCount: 100 + Int(image.id),
                    perceptualHash: PerceptualHash(bits: UInt64.max - UInt64(image.id))
                ),
                origin: .new
            )
        }

        func failure(_ image: Int64, _ kind: FailureRecord.Class, next: Double? = nil) -> FailureRecord {
            FailureRecord(
                imageID: image,
                fileUniqueID: "unique\(image)",
                kind: kind,
                fingerprint: "a file",
                attempts: 3,
                nextAttempt: next,
                message: "what happened, with a ' and a \\"
            )
        }

        func conditions(_ space: StoredSpace?) throws -> [Condition] {
            var conditions: [Condition] = []
            let catalog = Catalog(main: main, vectors: try store().vectors)
            try catalog.survey(.allUsers, model: "tiny", space: space) { page in
                conditions += page.map(\.condition)
                return true
            }
            return conditions
        }
    }

    private func with(_ kind: StorageKind, _ body: (Setting) throws -> Void) throws {
        try kind.with { bot, storage in
            try bot.addUser(id: 1, telegramID: 1001)
            try bot.addUser(id: 2, telegramID: 1002)
            try bot.addChat(id: 1, telegramID: 1001, owner: 1, type: "private")
            try bot.addChat(id: 2, telegramID: 1002, owner: 1002, type: "private")
            try bot.addChat(id: 3, telegramID: -5, owner: 1001, type: "group")
            for id in 1...9 as ClosedRange<Int64> {
                try bot.addImage(id: id, chat: (id - 1) / 3 + 1, path: "\(id).jpg", uniqueID: "unique\(id)")
            }
            try body(Setting(bot: bot, storage: storage))
        }
    }

    @Test("reads the bot's rows by id, chat and age", arguments: StorageKind.allCases)
    func rows(kind: StorageKind) throws {
        try with(kind) { setting in
            let main = setting.main
            try setting.bot.change("UPDATE images SET processing_status = 'failed' WHERE id = 5")
            #expect(try main.images([3, 1, 77]).map(\.id) == [1, 3])
            #expect(try main.images(inChats: nil, after: 4, count: 3).map(\.id) == [5, 6, 7])
            #expect(try main.images(inChats: [1, 3], after: 2, count: 3).map(\.id) == [3, 7, 8])
            #expect(try main.images(inChats: [], after: 0, count: 3).isEmpty)
            #expect(try main.newestImages(before: 7, count: 3, chats: nil).map(\.id) == [6, 4, 3])
            #expect(try main.newestImages(before: .max, count: 2, chats: [2]).map(\.id) == [6, 4])
            #expect(try main.completedImages(inChats: [2, 3]).sorted() == [4, 6, 7, 8, 9])
            #expect(try main.completedCount(to: .max, chats: nil) == 8 && main.completedCount(to: 6, chats: [2]) == 2)
            #expect(try main.pageStart(above: 3, length: 2, chats: nil) == 7)
            #expect(try main.pageStart(above: 9, length: 2, chats: nil) == .max)
            #expect(try main.uniqueIDs(of: [2, 99]) == [2: "unique2"])
            #expect(try main.chats(ofImages: [1, 9]) == [1: 1, 9: 3])
            #expect(try main.count("images") == 9 && main.count("users") == 2 && main.count("messages") == nil)
            let image = try #require(try main.images([7]).first)
            #expect(image.paths == ["7.jpg"] && image.isCompleted && image.stored == .nothing && image.chatID == 3)
            let details = try main.details(of: image)
            #expect(details.chatID == -5 && details.createdAt?.count == 19)
            #expect(try main.chat(telegramID: -5) == 3 && main.chat(telegramID: 5) == nil)
        }
    }

    @Test("knows whose chats are whose, by both kinds of id", arguments: StorageKind.allCases)
    func owners(kind: StorageKind) throws {
        try with(kind) { setting in
            let owners = try #require(try setting.main.owners(required: true))
            #expect(owners.chats(of: 1001) == [1, 3] && owners.chats(of: 1002) == [2])
            #expect(owners.knows(1001) && !owners.knows(1))
            let catalog = Catalog(main: setting.main, vectors: nil)
            #expect(throws: CatalogError.self) { try catalog.chats(of: .user(4)) }
        }
    }

    @Test("sees a change of the bot's rows", arguments: StorageKind.allCases)
    func versions(kind: StorageKind) throws {
        try with(kind) { setting in
            let before = try setting.main.dataVersion()
            try setting.bot.change("UPDATE images SET format = 'JPEG' WHERE id = 1")
            var rounds = 0
            while try setting.main.dataVersion() == before, rounds < 2000 {
                rounds += 1
                usleep(10_000)
            }
            // A server tells within ten seconds.
            #expect(rounds < 2000)
        }
    }

    @Test("stores vectors with all that is known of them, and gives it back", arguments: StorageKind.allCases)
    func provenance(kind: StorageKind) throws {
        try with(kind) { setting in
            let store = try setting.store()
            let new = try setting.images().map { try setting.vector($0) }
            #expect(try store.store(new, failures: []) == [])
            try store.finish()
            let (vectors, space) = (store.vectors, store.space)
            #expect(try setting.conditions(space).allSatisfy { $0 == .embedded })
            #expect(try vectors.vectorCount(in: space) == 9)
            let known = try vectors.records(in: space, imageIDs: 2...8, only: [2, 3, 9]).vectors
            #expect(known.keys.sorted() == [2, 3])
            #expect(known[3]?.isDescribed == true && known[3]?.isPublished == true)
            #expect(known[3]?.sourceDigest == [UInt8](repeating: 3, count: 32))
            #expect(try vectors.keys(in: space, after: 6, count: 2).map(\.imageID) == [7, 8])
            let page = try vectors.page(in: space, after: 7, count: 5)
            #expect(page.map(\.imageID) == [8, 9] && page.allSatisfy(\.isAsStored))
            #expect(page.first?.blob == EmbeddingBlob(new[7].embedding).bytes)
            let pictures = try vectors.pictures(of: [4, 2], in: space)
            #expect(pictures.map(\.imageID) == [2, 4] && pictures.last?.byteCount == 104)
            #expect(pictures.first?.hash == UInt64.max - 2 && pictures.first?.fingerprint == "f2")
            #expect(try vectors.sourceDigest(of: 5, in: space) == [UInt8](repeating: 5, count: 32))
            #expect(try vectors.matrix(of: space, images: [9, 1, 4, 55]).ids == [1, 4, 9])
            #expect(try vectors.matrix(of: space, images: nil).ids == Array(1...9))
            let streamed = try vectors.vectors(of: space, after: StreamMark(), count: 4).page
            #expect(streamed.count == 4 && streamed.allSatisfy { $0.components.count == 32 })
        }
    }

    @Test(
        "writes nothing for an image that was deleted, or exchanged under the same id",
        arguments: StorageKind.allCases
    )
    func vanished(kind: StorageKind) throws {
        try with(kind) { setting in
            let store = try setting.store()
            let new = try setting.images().map { try setting.vector($0) }
            try setting.bot.change("DELETE FROM images WHERE id = 2")
            try setting.bot.change("UPDATE images SET file_unique_id = 'new' WHERE id = 3")
            #expect(try store.store(new, failures: []) == [2, 3])
            try store.finish()
            #expect(try setting.images([3]).first?.stored == .nothing)
            #expect(try store.vectors.vectorCount(in: store.space) == 7)
        }
    }

    @Test("keeps failures until the image is embedded, or they are forgotten", arguments: StorageKind.allCases)
    func failures(kind: StorageKind) throws {
        try with(kind) { setting in
            let store = try setting.store()
            let recorded = [
                setting.failure(1, .corrupt), setting.failure(2, .unreadable, next: 1234.5),
                setting.failure(3, .missing),
            ]
            _ = try store.store([], failures: recorded)
            func known() throws -> [Int64: FailureRecord] {
                try store.vectors.records(in: store.space, imageIDs: 1...9, only: nil).failures
            }
            #expect(try known() == [1: recorded[0], 2: recorded[1], 3: recorded[2]])
            _ = try store.store([setting.vector(setting.images([1])[0])], failures: [setting.failure(2, .corrupt)])
            #expect(try known()[1] == nil && known()[2]?.kind == .corrupt)
            #expect(try store.vectors.forgetFailures(of: [.corrupt, .model], model: "tiny") == 1)
            #expect(try store.vectors.forgetFailures(of: [.missing], model: "another") == 0)
            #expect(try known().keys.sorted() == [3])
        }
    }

    @Test("lets a second space wait beside the first, take its place, and be purged", arguments: StorageKind.allCases)
    func spaces(kind: StorageKind) throws {
        try with(kind) { setting in
            let store = try setting.store()
            let images = try setting.images()
            #expect(try store.vectors.activeSpace() == store.space && store.isActive)
            _ = try store.store(images.map { try setting.vector($0) }, failures: [])
            try store.finish()
            let next = try setting.store(Self.other)
            #expect(!next.isActive)
            _ = try next.store(images.map { try setting.vector($0, seed: 1) }, failures: [])
            #expect(try setting.images([1]).first?.label == "tiny")
            try next.activate()
            #expect(try next.publish(setting.images()) == [])
            try next.finish()
            #expect(try setting.images().allSatisfy { $0.label == "new" })
            #expect(try next.vectors.spaces().map(\.space) == [Self.other, Self.space])
            #expect(throws: CatalogError.self) { try next.vectors.purge(next.space) { _ in } }
            #expect(try next.vectors.purge(store.space) { _ in } == 9)
            #expect(try next.vectors.vectorCount(in: next.space) == 9)
            #expect(try next.vectors.spaces().last?.activation == 0)
        }
    }

    @Test("keeps what a model gives for known pictures, the first time", arguments: StorageKind.allCases)
    func knownAnswers(kind: StorageKind) throws {
        try with(kind) { setting in
            let store = try setting.store()
            #expect(try store.vectors.knownAnswers(of: store.space) == nil)
            let answers = try setting.images().map { try setting.vector($0).embedding }
            try store.vectors.keepKnownAnswers(answers, of: store.space)
            try store.vectors.keepKnownAnswers(answers.reversed(), of: store.space)
            #expect(try store.vectors.knownAnswers(of: store.space) == answers)
        }
    }

    @Test(
        "lets the vectors of deleted images go, but not when a great share of them is gone",
        arguments: StorageKind.allCases
    )
    func orphans(kind: StorageKind) throws {
        try with(kind) { setting in
            for id in 10...600 as ClosedRange<Int64> {
                try setting.bot.addImage(id: id, chat: 1, path: "\(id).jpg", uniqueID: "unique\(id)")
            }
            let store = try setting.store()
            _ = try store.store(setting.images(Array(1...600)).map { try setting.vector($0) }, failures: [])
            try store.finish()
            try setting.bot.change("DELETE FROM images WHERE id IN (2, 600)")
            try setting.bot.change("UPDATE images SET file_unique_id = 'new' WHERE id = 3")
            let few = try store.vectors.removeOrphans(by: setting.main)
            #expect(few.count == 3 && few.total == 600 && few.isPlausible)
            try setting.bot.change("DELETE FROM images WHERE id > 400")
            let many = try store.vectors.removeOrphans(by: setting.main)
            #expect(many.count == 199 && !many.isPlausible)
            #expect(try store.vectors.vectorCount(in: store.space) == 597)
        }
    }

    @Test("is verified and counted alike", arguments: StorageKind.allCases)
    func verification(kind: StorageKind) throws {
        try with(kind) { setting in
            let store = try setting.store()
            _ = try store.store(setting.images(Array(1...6)).map { try setting.vector($0) }, failures: [])
            _ = try store.store([], failures: [setting.failure(7, .corrupt), setting.failure(8, .missing)])
            try store.finish()
            try setting.bot.overwrite(1, [1, 2, 3])
            try setting.bot.change("UPDATE images SET embedding_model = 'other' WHERE id = 2")
            try setting.bot.change("DELETE FROM images WHERE id = 3")
            let catalog = Catalog(main: setting.main, vectors: store.vectors)
            var findings: [Verification.Finding] = []
            try Verification(catalog, space: store.space).run { findings.append($0) }
            #expect(
                findings == [
                    .init(.overwrittenWorthlessly, 1), .init(.relabelled, 2), .init(.imageGone, 3),
                ]
            )
            let counted = try catalog.statistics(.allUsers, model: "tiny", space: store.space) { $0.image.id != 8 }
            #expect(counted.total == 8 && counted.embedded == 3 && counted.staleTotal == 2)
            #expect(counted.unreachable == 1 && counted.failures == [.corrupt: 1] && counted.ownerless == 0)
        }
    }
}
