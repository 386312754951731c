import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import Catalog

@Suite("The vector store")
struct VectorStoreTests {
    private let space = EmbeddingSpace(model: "tiny", weightsDigest: "aa", preprocessingVersion: 1, dimension: 8)

    /// A bot's database with images 1 to 5, and ours beside it.
    private struct Setting {
        let bot: BotDatabase
        let main: SQLiteMainDatabase
        let vectors: SQLiteVectorDatabase
        var images: [ImageRecord] {
            get throws {
                var pages = ImagePages(main, chats: nil, pageSize: 2)
                var all: [ImageRecord] = []
                while true {
                    let page = try pages.next()
                    if page.isEmpty { return all }
                    all += page
                }
            }
        }
    }

    private func withSetting(journalMode: String = "DELETE", index: Bool = true, _ body: (Setting) throws -> Void)
        throws
    {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"), journalMode: journalMode)
            try bot.addUser(id: 1, telegramID: 1001)
            try bot.addChat(id: 1, telegramID: 1001, owner: 1)
            for id in 1...5 { try bot.addImage(id: Int64(id), original: "\(id).jpg") }
            let address = try DatabaseAddress(bot.path.string, workingDirectory: "/")
            try body(
                Setting(
                    bot: bot,
                    main: try SQLiteMainDatabase(address, isReadOnly: false),
                    vectors: try open(folder, index: index)
                )
            )
        }
    }

    private func open(_ folder: FilePath, index: Bool = true) throws -> SQLiteVectorDatabase {
        try SQLiteVectorDatabase(
            path: folder.appending("semblance.db"),
            isReadOnly: false,
            extensionPath: index ? Fixtures.sqliteVec : nil
        )
    }

    private func vector(_ image: ImageRecord, seed: UInt64? = nil) throws -> NewVector {
        try .seeded(image, seed: seed)
    }

    private func conditions(_ setting: Setting) throws -> [Condition] {
        var conditions: [Condition] = []
        let active = try setting.vectors.activeSpace()
        try Catalog(main: setting.main, vectors: setting.vectors).survey(.allUsers, model: "tiny", space: active) {
            page in
            conditions += page.map(\.condition)
            return true
        }
        return conditions
    }

    @Test("lets the vectors of deleted and exchanged images go, but not when a great share of them is gone")
    func orphans() throws {
        try withSetting { setting in
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            for id in 6...600 { try setting.bot.addImage(id: Int64(id), original: "\(id).jpg") }
            _ = try store.store(setting.images.map { try vector($0) }, failures: [])
            let none = try setting.vectors.removeOrphans(by: setting.main)
            #expect(none.count == 0 && none.total == 600)
            try setting.bot.execute("DELETE FROM images WHERE id IN (2, 600)")
            try setting.bot.execute("UPDATE images SET file_unique_id = 'new' WHERE id = 3")
            let few = try setting.vectors.removeOrphans(by: setting.main)
            #expect(few.count == 3 && few.total == 600)
            let stored = try #require(try setting.vectors.activeSpace())
            let left = try setting.vectors.records(in: stored, imageIDs: 1...600, only: nil).vectors
            #expect(Set(left.keys) == Set(1...599).subtracting([2, 3]))
            let index = VectorIndex(stored)
            #expect(try setting.vectors.read { try index.differences($0) }.allSatisfy(\.images.isEmpty))
            try setting.bot.execute("DELETE FROM images WHERE id > 400")
            let many = try setting.vectors.removeOrphans(by: setting.main)
            #expect(many.count == 199 && many.total == 597 && !many.isPlausible)
            #expect(try setting.vectors.vectorCount(in: stored) == 597)
        }
    }

    @Test("brings vectors to both databases", arguments: ["DELETE", "WAL"])
    func stores(mode: String) throws {
        try withSetting(journalMode: mode) { setting in
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            #expect(store.index == .ready(repaired: 0))
            let images = try setting.images
            let vectors = try images.map { try vector($0) }
            #expect(try store.store(vectors, failures: []) == [])
            try store.finish()
            #expect(try conditions(setting).allSatisfy { $0 == .embedded })
            let stored = try setting.bot.embeddings()
            #expect(stored[3]?.blob == Data(EmbeddingBlob(vectors[2].embedding).bytes) && stored[3]?.label == "tiny")
            let open = try setting.vectors.read {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM vectors WHERE NOT published")
            }
            #expect(open == 0)
            #expect(try setting.main.journalMode() == mode.lowercased())
        }
    }

    @Test("leaves alone an image that was deleted, or replaced under the same id, meanwhile")
    func vanished() throws {
        try withSetting { setting in
            let images = try setting.images
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            try setting.bot.execute("DELETE FROM images WHERE id IN (2, 3)")
            try setting.bot.addImage(id: 3, original: "new.jpg", uniqueID: "another picture")
            #expect(try store.store(try images.map { try vector($0) }, failures: []) == [2, 3])
            try store.finish()
            #expect(try setting.bot.embeddings()[3]?.blob == nil)
            #expect(try conditions(setting) == [.embedded, .pending, .embedded, .embedded])
            #expect(try setting.vectors.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM vectors") } == 3)
        }
    }

    @Test("finishes what stands between the two databases after a crash, without computing again")
    func unpublished() throws {
        try withSetting { setting in
            let images = try setting.images
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            _ = try store.store(try images.map { try vector($0) }, failures: [])
            // As if the bot's database had never got the vectors.
            try setting.bot.execute("UPDATE images SET embedding = NULL, embedding_model = NULL WHERE id > 2")
            #expect(try conditions(setting) == [.embedded, .embedded, .unpublished, .unpublished, .unpublished])
            let next = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            #expect(try next.publish(Array(images[2...])) == [])
            try next.finish()
            #expect(try conditions(setting).allSatisfy { $0 == .embedded })
        }
    }

    @Test("repairs an index that lost rows or has rows too many, and finds every vector again")
    func reconciles() throws {
        try withSetting { setting in
            let images = try setting.images
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            let vectors = try images.map { try vector($0) }
            _ = try store.store(vectors, failures: [])
            try setting.vectors.write { db in
                try db.execute(sql: "DELETE FROM index_1 WHERE rowid IN (1, 4)")
                try db.execute(sql: "DELETE FROM vectors WHERE id = 5")
            }
            let repaired = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            #expect(repaired.index == .ready(repaired: 3))
            try expectFound(vectors.prefix(4).map { $0 }, setting)
        }
    }

    @Test("without sqlite-vec stores all the same; the next run with it indexes what is missing")
    func withoutIndex() throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"))
            for id in 1...5 { try bot.addImage(id: Int64(id), original: "\(id).jpg") }
            let main = try SQLiteMainDatabase(
                DatabaseAddress(bot.path.string, workingDirectory: "/"),
                isReadOnly: false
            )
            let bare = try open(folder, index: false)
            let images = try Setting(bot: bot, main: main, vectors: bare).images
            let store = try SQLiteVectorStore(main: main, vectors: bare, space: space)
            #expect(store.index == .unavailable(reason: "sqlite-vec is not there"))
            let vectors = try images.map { try vector($0) }
            _ = try store.store(vectors, failures: [])
            try bare.close()
            let indexed = try open(folder)
            let next = try SQLiteVectorStore(main: main, vectors: indexed, space: space)
            #expect(next.index == .ready(repaired: 5))
            try expectFound(vectors, Setting(bot: bot, main: main, vectors: indexed))
        }
    }

    private func expectFound(_ vectors: [NewVector], _ setting: Setting) throws {
        let stored = try #require(try setting.vectors.activeSpace())
        for vector in vectors {
            let nearest = try setting.vectors.read { db in
                try VectorIndex(stored).nearest(to: vector.embedding, count: 1, db).first?.0
            }
            #expect(nearest == vector.image.id)
        }
    }

    @Test("replaces a vector in the index as well")
    func replaces() throws {
        try withSetting { setting in
            let images = try setting.images
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            _ = try store.store(try images.map { try vector($0) }, failures: [])
            let changed = try images.map { try vector($0, seed: 100 + UInt64($0.id)) }
            _ = try store.store(changed, failures: [])
            try store.finish()
            try expectFound(changed, setting)
            #expect(
                try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space).index
                    == .ready(repaired: 0)
            )
        }
    }

    @Test("writes after another program wrote between our read and our write")
    func interleaved() throws {
        try withSetting(journalMode: "WAL") { setting in
            let images = try setting.images
            try setting.bot.execute("UPDATE images SET format = 'jpg'")
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            #expect(try store.store(try images.map { try vector($0) }, failures: []) == [])
        }
    }

    @Test(
        "fills another space beside the active one, whose vectors stay in the bot's rows until the flip, and goes back"
    )
    func spaces() throws {
        try withSetting { setting in
            let images = try setting.images
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            _ = try store.store(try images.map { try vector($0) }, failures: [])
            try store.finish()
            let old = try setting.bot.embeddings()
            let other = EmbeddingSpace(model: "tiny", weightsDigest: "bb", preprocessingVersion: 1, dimension: 8)
            let next = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: other)
            #expect(store.isActive && !next.isActive)
            _ = try next.store(try images.map { try vector($0, seed: 50) }, failures: [])
            #expect(try setting.bot.embeddings() == old)
            #expect(try conditions(setting).allSatisfy { $0 == .embedded })
            try next.activate()
            #expect(try conditions(setting).allSatisfy { $0 == .unpublished })
            #expect(try next.publish(images) == [])
            try next.finish()
            #expect(try conditions(setting).allSatisfy { $0 == .embedded } && setting.bot.embeddings() != old)
            try store.activate()
            #expect(try conditions(setting).allSatisfy { $0 == .unpublished })
            #expect(try store.publish(images) == [])
            #expect(try setting.bot.embeddings() == old)
        }
    }

    @Test("purges a space that is not active, and no other")
    func purge() throws {
        try withSetting { setting in
            let images = try setting.images
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            _ = try store.store(try images.map { try vector($0) }, failures: [])
            let other = EmbeddingSpace(model: "new", weightsDigest: "bb", preprocessingVersion: 1, dimension: 8)
            let next = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: other)
            _ = try next.store(try images.map { try vector($0, seed: 50) }, failures: [])
            #expect(throws: CatalogError.self) { try setting.vectors.purge(store.space) { _ in } }
            #expect(try setting.vectors.purge(next.space) { _ in } == 5)
            #expect(try setting.vectors.vectorCount(in: store.space) == 5)
            #expect(try setting.vectors.vectorCount(in: next.space) == 0)
            #expect(try conditions(setting).allSatisfy { $0 == .embedded })
            #expect(
                try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: other).index
                    == .ready(repaired: 0)
            )
        }
    }

    @Test("gives its database file rights for its owner alone, and keeps full synchronisation")
    func privacy() throws {
        try withSetting { setting in
            let attributes = try FileManager.default.attributesOfItem(atPath: setting.vectors.path.string)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let values = try setting.vectors.read { db in
                try ["synchronous", "trusted_schema"].map { try Int.fetchOne(db, sql: "PRAGMA \($0)") }
            }
            #expect(values == [2, 0])
        }
    }

    @Test("reads a database of the first version as it is, and brings it up to date when it is opened for writing")
    func older() throws {
        try withSetting { setting in
            let store = try SQLiteVectorStore(main: setting.main, vectors: setting.vectors, space: space)
            _ = try store.store(try setting.images.map { try vector($0) }, failures: [])
            try store.finish()
            try setting.vectors.write { db in
                try db.execute(
                    sql: """
                        ALTER TABLE vectors DROP COLUMN source_size;
                        ALTER TABLE vectors DROP COLUMN perceptual_hash;
                        DELETE FROM grdb_migrations WHERE identifier LIKE '2 %';
                        """
                )
            }
            try setting.vectors.close()
            let path = setting.vectors.path
            let old = try #require(try SQLiteVectorDatabase.existing(path: path))
            #expect(
                try conditions(Setting(bot: setting.bot, main: setting.main, vectors: old)).allSatisfy {
                    $0 == .embedded
                }
            )
            try old.close()
            let new = try open(path.removingLastComponent())
            var undescribed = 0
            try Catalog(main: setting.main, vectors: new).survey(.allUsers, model: "tiny", space: new.activeSpace()) {
                page in
                undescribed += page.count { $0.undescribedSource != nil }
                return true
            }
            #expect(undescribed == 5)
        }
    }

    @Test("refuses a database that a newer version made")
    func newer() throws {
        try withSetting { setting in
            try setting.vectors.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 of the future')") }
            try setting.vectors.close()
            let error = #expect(throws: CatalogError.self) {
                try open(setting.vectors.path.removingLastComponent())
            }
            #expect(error?.description.contains("newer") == true)
        }
    }
}

@Suite("The write-ahead log of the bot")
struct LogGuardTests {
    @Test("is checkpointed when it is large, while nobody else can commit")
    func checkpoints() throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"), journalMode: "WAL")
            try bot.execute("PRAGMA wal_autocheckpoint = 0")
            for id in 1...200 { try bot.addImage(id: Int64(id), original: "x", embedding: Data(count: 3000)) }
            let main = try SQLiteMainDatabase(
                DatabaseAddress(bot.path.string, workingDirectory: "/"),
                isReadOnly: false
            )
            func size() throws -> UInt64 {
                try FileManager.default.attributesOfItem(atPath: bot.path.string)[.size] as? UInt64 ?? 0
            }
            let before = try size()
            try LogGuard.checkpointIfLarge(main, threshold: 1 << 40)
            #expect(try size() == before)
            try LogGuard.checkpointIfLarge(main, threshold: 1000)
            #expect(try size() > before + 600_000)
            #expect(try bot.value("SELECT count(*) FROM images") == 200)
        }
    }

    @Test("stays as it is when our connections close")
    func keeps() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending("bot.db")
            let bot = try BotDatabase(path, journalMode: "WAL")
            try bot.addImage(id: 1, original: "x")
            let main = try SQLiteMainDatabase(DatabaseAddress(path.string, workingDirectory: "/"), isReadOnly: false)
            _ = try main.write { try $0.execute(sql: "UPDATE images SET embedding_model = 'x'") }
            try bot.queue.close()
            try main.close()
            let log = try FileManager.default.attributesOfItem(atPath: path.string + "-wal")[.size] as? UInt64 ?? 0
            #expect(log > 0)
        }
    }
}

@Suite("A backup")
struct BackupTests {
    @Test("is a whole, private copy beside the database", arguments: ["DELETE", "WAL"])
    func copies(mode: String) throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"), journalMode: mode)
            for id in 1...300 { try bot.addImage(id: Int64(id), original: "x", embedding: Data(count: 3000)) }
            let main = try SQLiteMainDatabase(
                DatabaseAddress(bot.path.string, workingDirectory: "/"),
                isReadOnly: false
            )
            let path = try Backup.make(of: main)
            let copy = try DatabaseQueue(path: path.string)
            #expect(try copy.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM images") } == 300)
            let attributes = try FileManager.default.attributesOfItem(atPath: path.string)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            #expect(!names.contains { $0.contains(".part") })
        }
    }
}

@Suite("The lock of a run")
struct RunLockTests {
    @Test("lets one backfill work at a time, and ends with it")
    func exclusive() throws {
        try withTemporaryFolder { folder in
            let database = folder.appending("semblance.db")
            let first = try RunLock(beside: database)
            let error = #expect(throws: CatalogError.self) { try RunLock(beside: database) }
            #expect(error?.code == .locked)
            #expect(error?.description.contains("\(getpid())") == true)
            first.release()
            #expect(throws: Never.self) { try RunLock(beside: database) }
        }
    }
}
