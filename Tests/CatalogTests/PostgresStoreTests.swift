import Foundation
import PostgreSQL
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import Catalog

@Suite("The store at a server of PostgreSQL")
struct PostgresStoreTests {
    @Test("keeps what stood in the bot's rows and was none of ours, and nothing else")
    func replaced() throws {
        try PostgresSetting.with { setting in
            let store = try setting.store()
            try setting.bot.execute(
                "UPDATE images SET embedding = $1, embedding_model = 'old' WHERE id = 4",
                [.bytes([1, 2, 3] as [UInt8]?)]
            )
            let images = try setting.images()
            _ = try store.store(images.map { try setting.vector($0) }, failures: [])
            _ = try store.store(images.map { try setting.vector($0, seed: 9) }, failures: [])
            let kept = try setting.bot.execute("SELECT image_id, embedding, embedding_model FROM semblance.replaced")
                .rows
            #expect(kept.count == 1)
            #expect(kept.first?.int64(0) == 4 && kept.first?.bytes(1) == [1, 2, 3] && kept.first?.text(2) == "old")
        }
    }

    @Test("waits for a row that the bot is writing; in the end says so, and has written nothing")
    func locks() throws {
        try PostgresSetting.with(patience: .milliseconds(200)) { setting in
            let store = try setting.store()
            let vectors = try setting.images().map { try setting.vector($0) }
            try setting.bot.withConnection { bot in
                try bot.transaction { bot in
                    _ = try bot.execute("UPDATE images SET analysis = 'x' WHERE id = 5")
                    let error = #expect(throws: CatalogError.self) { try store.store(vectors, failures: []) }
                    #expect(error?.code == .locked)
                }
            }
            #expect(try store.vectors.vectorCount(in: store.space) == 0)
            #expect(try setting.bot.number("SELECT count(embedding) FROM images") == 0)
            #expect(try store.store(vectors, failures: []) == [])
            #expect(
                try setting.bot.number("SELECT count(*) FROM images WHERE analysis = 'x' AND embedding IS NOT NULL")
                    == 1
            )
        }
    }

    @Test("does a batch once where the answer to its commit is lost on the way")
    func unknownOutcome() throws {
        try PostgresSetting.with { setting in
            let port = try #require(setting.bot.address.split(separator: ":").last?.split(separator: "/").first)
            let script = Fixtures.project.appending("Tests/TestSupport/cutting_proxy.py")
            let proxy = try Program("/usr/bin/python3", [script.string, String(port)], in: "/tmp")
            defer {
                proxy.signal(SIGKILL)
                _ = try? proxy.wait()
            }
            let listening = try #require(try proxy.waitForLine())
            let address = setting.bot.address.replacing(":\(port)/", with: ":\(listening)/") + "?sslmode=disable"
            let server = PostgresServer(try PostgresAddress(address), patience: .seconds(30))
            let store = try setting.store(through: server)
            let images = try setting.images()
            #expect(try store.store(images.prefix(2).map { try setting.vector($0) }, failures: []) == [])
            #expect(proxy.outputSoFar.contains("lost"))
            #expect(try store.store(images.suffix(3).map { try setting.vector($0) }, failures: []) == [])
            #expect(try setting.bot.number("SELECT embedded FROM semblance.runs") == 5)
            #expect(try setting.bot.number("SELECT batches FROM semblance.runs") == 2)
            #expect(try store.vectors.vectorCount(in: store.space) == 5)
        }
    }

    @Test("goes on where the server was restarted without warning, or its backend was ended")
    func restart() throws {
        let cluster = try PostgresCluster.crashing.get()
        try PostgresSetting.with(.success(cluster)) { setting in
            let store = try setting.store()
            let images = try setting.images()
            #expect(try store.store([try setting.vector(images[0])], failures: []) == [])
            try cluster.restartImmediately()
            #expect(try store.store([try setting.vector(images[1])], failures: []) == [])
            try setting.bot.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            #expect(try store.store([try setting.vector(images[2])], failures: []) == [])
            #expect(try store.vectors.vectorCount(in: store.space) == 3)
            #expect(try setting.bot.number("SELECT embedded FROM semblance.runs") == 3)
        }
    }

    @Test("works for a role that may make no table, and says which grant is missing")
    func roles() throws {
        try PostgresSetting.with { setting in
            let role = "worker_\(UInt32.random(in: 0...UInt32.max))"
            try setting.bot.execute("CREATE ROLE \(role) LOGIN")
            defer {
                _ = try? setting.bot.execute("DROP OWNED BY \(role)")
                _ = try? setting.bot.execute("DROP ROLE \(role)")
            }
            let outcome = try PostgresSchema(setting.server).make(for: role)
            #expect(
                outcome.missingGrants.sorted() == [
                    "GRANT SELECT ON chats TO \(role)", "GRANT SELECT ON images TO \(role)",
                    "GRANT SELECT ON users TO \(role)",
                    "GRANT UPDATE (embedding, embedding_model) ON images TO \(role)",
                ]
            )
            for grant in outcome.missingGrants.dropLast() { try setting.bot.execute(grant) }
            let address = setting.bot.address.replacing("postgres@", with: "\(role)@")
            let server = PostgresServer(try PostgresAddress(address))
            let vectors = try setting.images().map { try setting.vector($0) }
            let other = EmbeddingSpace(model: "tiny", weightsDigest: "bb", preprocessingVersion: 1, dimension: 8)
            let store = try setting.store(through: server, space: other)
            let error = #expect(throws: CatalogError.self) { try store.store(vectors, failures: []) }
            #expect(error?.code == .notPermitted)
            for grant in outcome.missingGrants { try setting.bot.execute(grant) }
            #expect(try store.store(vectors, failures: []) == [])
            try store.vectors.rebuildIndex(of: store.space) { _ in }
            let found = try store.vectors.nearest(to: vectors[0].embedding, count: 1, in: store.space, images: nil)
            #expect(found.map(\.0) == [1])
            #expect(throws: CatalogError.self) { try server.run { try $0.run("CREATE TABLE semblance.mine (a int)") } }
        }
    }

    @Test("says what is wrong in one sentence: no server, no entry, no tables, a standby, another column")
    func sentences() throws {
        try PostgresSetting.with(patience: .zero) { setting in
            func error(_ address: String) -> CatalogError? {
                #expect(throws: CatalogError.self) {
                    try PostgresMainDatabase(PostgresServer(try PostgresAddress(address), patience: .zero))
                }
            }
            #expect(error("postgresql://a@127.0.0.1:1/b")?.code == .unavailable)
            #expect(error(setting.bot.address.replacing("postgres@", with: "nobody:secret@"))?.code == .notPermitted)
            #expect(error(setting.bot.address + "_not")?.code == .schema)
            try setting.bot.execute("ALTER DATABASE \(setting.bot.name) SET default_transaction_read_only = on")
            let server = PostgresServer(try PostgresAddress(setting.bot.address), patience: .zero)
            let readOnly = #expect(throws: CatalogError.self) {
                try PostgresVectorDatabase(server).add(PostgresSetting.space)
            }
            #expect(readOnly?.code == .cannotWrite)
            try setting.bot.execute("ALTER DATABASE \(setting.bot.name) RESET default_transaction_read_only")
            try setting.bot.execute("SET default_transaction_read_only = off")
            try setting.bot.execute("ALTER TABLE images ALTER embedding TYPE text")
            #expect(error(setting.bot.address)?.description.contains("not bytea") == true)
        }
    }

    @Test("speaks to no server that cannot prove who it is, where that is asked for")
    func encryption() throws {
        let cluster = try PostgresCluster.encrypted.get()
        try cluster.withDatabase { bot in
            func state(_ host: String, _ root: FilePath) throws -> String {
                let address = bot.address.replacing("127.0.0.1", with: host)
                let server = PostgresServer(
                    try PostgresAddress("\(address)?sslmode=verify-full&sslrootcert=\(root)"),
                    patience: .seconds(20)
                )
                return try server.state()
            }
            let trusted = try state("localhost", cluster.certificate)
            #expect(trusted.contains(", encrypted"))
            for (host, root) in [
                ("127.0.0.1", cluster.certificate), ("localhost", "/etc/ssl/certs/ca-certificates.crt"),
            ] {
                let error = #expect(throws: CatalogError.self) { try state(host, root) }
                #expect(error?.code == .notPermitted, "\(error?.description ?? "")")
            }
        }
    }

    @Test("shows a reader of new vectors also those of a transaction that began earlier and was committed later")
    func stream() throws {
        try PostgresSetting.with(PostgresCluster.encrypted) { setting in
            let store = try setting.store()
            let images = try setting.images()
            let vectors = try PostgresVectorDatabase(setting.server)
            func news(after mark: inout StreamMark) throws -> Set<Int64> {
                let (page, next) = try vectors.vectors(of: store.space, after: mark, count: 100)
                mark = next
                return Set(page.map(\.imageID))
            }
            var mark = StreamMark()
            try setting.bot.withConnection { slow in
                try slow.transaction { slow in
                    _ = try slow.execute("SELECT pg_current_xact_id()")
                    _ = try store.store([try setting.vector(images[1])], failures: [])
                    #expect(try news(after: &mark) == [2])
                    _ = try slow.execute(
                        """
                        INSERT INTO semblance.vectors_1 (image_id, file_unique_id, owner, published, blob_digest,
                            source_digest, source_fingerprint, embedding)
                        SELECT 1, 'unique1', owner, TRUE, blob_digest, source_digest, source_fingerprint, embedding
                        FROM semblance.vectors_1
                        """
                    )
                }
            }
            #expect(try news(after: &mark).contains(1))
            // Other transactions of this server, which few tests use, count as well.
            var rounds = 0
            while try !news(after: &mark).isEmpty, rounds < 500 {
                rounds += 1
                usleep(10_000)
            }
            #expect(rounds < 500, "nothing comes again when all is over")
        }
    }

    @Test("says that the server's disk is full, has written nothing of that batch, and goes on when there is space")
    func fullDisk() throws {
        try PostgresSetting.with(images: 3000) { setting in
            try withTemporaryFolder { folder in
                let disk = folder.string
                #expect(mount("tmpfs", disk, "tmpfs", 0, "size=256k,mode=777") == 0, "mounting needs root")
                defer { umount2(disk, Int32(MNT_DETACH)) }
                let place = disk + "/space"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
                if let owner = getpwnam("semblance-db")?.pointee { chown(place, owner.pw_uid, owner.pw_gid) }
                let name = "tiny_\(UInt32.random(in: 0...UInt32.max))"
                try setting.bot.execute("CREATE TABLESPACE \(name) LOCATION '\(place)'")
                let store = try setting.store()
                for part in 0..<4 {
                    try setting.bot.execute("ALTER TABLE semblance.vectors_1_\(part) SET TABLESPACE \(name)")
                }
                defer {
                    for part in 0..<4 {
                        _ = try? setting.bot.execute(
                            "ALTER TABLE semblance.vectors_1_\(part) SET TABLESPACE pg_default"
                        )
                    }
                    _ = try? setting.bot.execute("DROP TABLESPACE \(name)")
                }
                let vectors = try setting.images().map { try setting.vector($0) }
                var next = 0
                let error = #expect(throws: CatalogError.self) {
                    while next < vectors.count {
                        _ = try store.store(Array(vectors[next..<(next + 100)]), failures: [])
                        next += 100
                    }
                }
                #expect(error?.code == .cannotWrite, "\(error?.description ?? "")")
                #expect(try store.vectors.vectorCount(in: store.space) == next)
                #expect(try setting.bot.number("SELECT count(embedding) FROM images") == Int64(next))
                #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=20m") == 0)
                #expect(try store.store(Array(vectors[next...]), failures: []) == [])
                #expect(try setting.bot.number("SELECT count(embedding) FROM images") == 3000)
            }
        }
    }

    @Test("asks graphs only of a pgvector that goes on until enough rows came")
    func versions() {
        func asks(_ version: String) -> Bool { PGVector(schema: "", type: 0, version: version).hasIterativeScans }
        #expect(asks("0.8.0") && asks("0.8.5") && asks("0.10.0") && asks("1.0") && asks("0.8"))
        #expect(!asks("0.7.4") && !asks("0.5.1") && !asks(""))
    }

    @Test("waits for a connection where the server has none left, and says so in the end")
    func crowded() throws {
        try PostgresSetting.with { setting in
            try setting.bot.execute("ALTER DATABASE \(setting.bot.name) CONNECTION LIMIT 0")
            let role = "guest_\(UInt32.random(in: 0...UInt32.max))"
            try setting.bot.execute("CREATE ROLE \(role) LOGIN")
            defer { _ = try? setting.bot.execute("DROP ROLE \(role)") }
            let address = setting.bot.address.replacing("postgres@", with: "\(role)@")
            let server = PostgresServer(try PostgresAddress(address), patience: .milliseconds(300))
            let error = #expect(throws: CatalogError.self) { try server.now() }
            #expect(
                error?.code == .locked && error?.description.contains("connection") == true,
                "\(error?.description ?? "")"
            )
        }
    }
}
