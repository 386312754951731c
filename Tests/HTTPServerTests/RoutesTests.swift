import EmbeddingModel
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ImageDecoding
import NIOCore
import Similarity
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import Catalog
@testable import HTTPServer

@Suite("The server's routes")
struct RoutesTests {
    private static let ownerKey = String(repeating: "o", count: 32)
    private static let userKey = String(repeating: "u", count: 40)

    /// Two people with three pictures each, all alike, in a space of four dimensions, behind keys or not.
    private func withServer(
        keys: Bool = true,
        _ body: @Sendable @escaping (any TestClientProtocol, BotDatabase) async throws -> Void
    ) async throws {
        let folder = FilePath("/tmp/semblance-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let bot = try BotDatabase(folder.appending("bot.db"))
        let library = try Self.library(bot, folder)
        let access = Access(keys: keys ? [(Self.ownerKey, .owner), (Self.userKey, .user(1001))] : [])
        let settings = AnswerServer.Settings(host: "127.0.0.1", port: 0, access: access, hostNames: [], version: "1")
        // One look has to do for the whole test, however busy the machine is.
        let embedder = StandInEmbedder()
        let monitor = HealthMonitor(library, embedder, patience: .seconds(3600))
        monitor.look()
        let router = try AnswerServer.routes(library, monitor, embedder, Metrics(), settings).router()
        try await Application(router: router).test(.router) { try await body($0, bot) }
    }

    private static func library(_ bot: BotDatabase, _ folder: FilePath) throws -> AnswerLibrary {
        for id: Int64 in [1, 2] {
            try bot.addUser(id: id, telegramID: 1000 + id)
            try bot.addChat(id: id, telegramID: 1000 + id, owner: id)
        }
        for id: Int64 in 1...6 { try bot.addImage(id: id, chat: id <= 3 ? 1 : 2, original: "/secret/folder/\(id).jpg") }
        let address = try DatabaseAddress(bot.path.string, workingDirectory: "/")
        let path = folder.appending("semblance.db")
        let main = try SQLiteMainDatabase(address, isReadOnly: false)
        let vectors = try SQLiteVectorDatabase(path: path, isReadOnly: false, extensionPath: nil)
        let space = EmbeddingSpace(model: "tiny", weightsDigest: "aa", preprocessingVersion: 1, dimension: 4)
        let store = try SQLiteVectorStore(main: main, vectors: vectors, space: space)
        let images = try main.images(Array(1...6))
        _ = try store.store(
            try images.map { image in
                NewVector(
                    image: image,
                    embedding: try Embedding(normalizing: [1, 0, 0, Float(image.id) / 20]),
                    source: SourceFile(
                        fingerprint: "f\(image.id)",
                        digest: [UInt8](repeating: UInt8(image.id), count: 32),
                        byteCount: 10,
                        perceptualHash: PerceptualHash(bits: 5)
                    ),
                    origin: .new
                )
            },
            failures: []
        )
        try store.finish()
        return AnswerLibrary(
            AnswerLibrary.Sources(
                openMain: { try SQLiteMainDatabase(address) },
                openVectors: { try SQLiteVectorDatabase.existing(path: path) },
                databases: [bot.path, path],
                loadImageEncoder: { _ in throw Problem(.modelMissing, "none") },
                loadTextEncoder: { _ in throw Problem(.modelMissing, "none") },
                isModelHere: { _ in true },
                isReachable: { _ in true },
                readFile: { $0.id == 1 || $0.id == 4 ? (JPEGWriter.picture(1, width: 900, height: 600), "one") : nil },
                model: "tiny"
            )
        )
    }

    private static func headers(_ key: String?) -> HTTPFields {
        var fields: HTTPFields = [:]
        fields[.authorization] = key.map { "Bearer \($0)" }
        return fields
    }

    /// An answer as a dictionary.
    private static func json(_ response: TestResponse) throws -> [String: any Sendable] {
        let object = try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))
        return try #require(object as? [String: any Sendable])
    }

    private static func ids(_ response: TestResponse) throws -> [Int] {
        let hits = try #require(try json(response)["hits"] as? [[String: any Sendable]])
        return hits.compactMap { ($0["image"] as? [String: any Sendable])?["id"] as? Int }
    }

    /// Every address with a method, and what each kind of caller gets: nobody, the owner, user 1001.
    private static let matrix: [(HTTPRequest.Method, String, nobody: Int, owner: Int, user: Int)] = [
        (.get, "/health", 200, 200, 200), (.get, "/health/live", 200, 200, 200), (.get, "/health/ready", 200, 200, 200),
        (.get, "/api/v1/images/1", 401, 200, 200), (.get, "/api/v1/images/4", 401, 200, 404),
        (.get, "/api/v1/images/99", 401, 404, 404), (.get, "/api/v1/images/1/similar", 401, 200, 200),
        (.get, "/api/v1/images/4/similar", 401, 200, 404),
        (.get, "/api/v1/images/1/similar?user_id=1002", 401, 200, 403),
        (.post, "/api/v1/similar", 401, 503, 503), (.get, "/api/v1/search?q=cat", 401, 503, 503),
        (.get, "/api/v1/search", 401, 400, 400), (.get, "/api/v1/users/1001/similarity-stats", 401, 200, 200),
        (.get, "/api/v1/users/1002/similarity-stats", 401, 200, 403),
        (.get, "/api/v1/users/7/similarity-stats", 401, 404, 403), (.get, "/api/v1/stats", 401, 200, 200),
        (.get, "/api/v1/stats?user_id=1002", 401, 200, 403), (.get, "/api/v1/duplicates", 401, 200, 200),
        (.get, "/api/v1/failures", 401, 200, 200), (.get, "/api/v1/openapi.json", 401, 200, 200),
        (.get, "/metrics", 401, 200, 403), (.get, "/api/v1/images/1/thumbnail", 401, 200, 200),
        (.get, "/api/v1/images/2/thumbnail", 401, 404, 404), (.get, "/api/v1/images/4/thumbnail", 401, 200, 404),
        (.get, "/nothing", 401, 404, 404), (.get, "/", 401, 200, 200), (.get, "/pictures/1", 401, 200, 200),
        (.get, "/pictures/4", 401, 200, 404), (.get, "/search?q=cat", 401, 503, 503),
        (.post, "/similar", 401, 400, 400),
        (.get, "/duplicates", 401, 200, 200), (.get, "/dashboard", 401, 200, 403), (.post, "/backfill", 401, 400, 403),
        (.get, "/login", 200, 303, 303), (.post, "/login", 400, 400, 400), (.post, "/logout", 401, 303, 303),
        (.get, "/style.css", 200, 200, 200), (.get, "/script.js", 200, 200, 200), (.get, "/icon.svg", 200, 200, 200),
        (.post, "/api/v1/stats", 401, 405, 405), (.delete, "/", 401, 405, 405),
        (.post, "/api/v1/images/1/embed", 401, 200, 200),
        (.post, "/api/v1/images/2/embed", 401, 422, 422), (.post, "/api/v1/images/4/embed", 401, 200, 404),
        (.post, "/api/v1/images/3/embed", 401, 409, 409), (.get, "/api/v1/jobs/backfill", 401, 200, 403),
        (.post, "/api/v1/jobs/backfill", 401, 202, 403), (.delete, "/api/v1/jobs/backfill", 401, 202, 403),
    ]

    @Test("answer nobody without a key but for health, and each user about that user's images alone")
    func access() async throws {
        try await withServer { client, _ in
            for (method, uri, nobody, owner, user) in Self.matrix {
                for (key, status) in [
                    (nil, nobody), ("wrong key of more than 32 bytes, really", nobody), (Self.ownerKey, owner),
                    (Self.userKey, user),
                ] as [(String?, Int)] {
                    try await client.execute(uri: uri, method: method, headers: Self.headers(key)) { response in
                        #expect(response.status.code == status, "\(method) \(uri) \(key ?? "without a key")")
                        let text = String(buffer: response.body)
                        #expect(!text.contains("/secret") && !text.contains("SELECT"), "\(uri)")
                        #expect(response.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
                        if status >= 400 {
                            #expect(response.headers[.contentType] == "application/problem+json")
                            let problem = try Self.json(response)
                            #expect(problem["status"] as? Int == status)
                        }
                        if status == 405 { #expect(response.headers[.allow] == "GET") }
                        if status == 503 { #expect(response.headers[.retryAfter] != nil) }
                    }
                }
            }
        }
    }

    @Test("are all in the matrix of this test: a new one is denied here until somebody thinks about it")
    func enumeration() async throws {
        let known = Set(Self.matrix.map { "\($0.0.rawValue.lowercased()) \(Self.pattern($0.1))" })
        for (method, path) in try Self.routes() {
            #expect(known.contains("\(method) \(Self.pattern(path))"), "\(method) \(path)")
        }
    }

    /// The method and path of every route.
    private static func routes() throws -> [(String, String)] {
        let folder = FilePath("/tmp/semblance-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let settings = AnswerServer.Settings(host: "h", port: 0, access: Access(keys: []), hostNames: [], version: "1")
        let library = try library(BotDatabase(folder.appending("bot.db")), folder)
        let embedder = StandInEmbedder()
        let monitor = HealthMonitor(library, embedder)
        let router = try AnswerServer.routes(library, monitor, embedder, Metrics(), settings).router()
        return router.routes.map { ($0.method.rawValue.lowercased(), $0.path.description) }
    }

    @Test("are what the OpenAPI document says, and answer with the fields that it names")
    func openAPI() async throws {
        let object = try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.json.utf8))
        let document = try #require(object as? [String: any Sendable])
        let paths = try #require(document["paths"] as? [String: [String: any Sendable]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } })
        let forPrograms = try Self.routes().map { ($0, $1.hasPrefix("/") ? $1 : "/" + $1) }
            .filter { _, path in ["/api/", "/health", "/metrics"].contains { path.hasPrefix($0) } }
        #expect(described == Set(forPrograms.map { "\($0) \($1)" }))
        let components = try #require(document["components"] as? [String: [String: any Sendable]])
        let schemas = try #require(components["schemas"] as? [String: [String: any Sendable]])
        let uris = Self.matrix.filter {
            $0.owner == 200 && ["/api/", "/health"].contains { [uri = $0.1] in uri.hasPrefix($0) }
                && !$0.1.hasSuffix(".json") && $0.1 != "/metrics" && !$0.1.hasSuffix("thumbnail")
        }
        try await withServer { client, _ in
            for (method, uri, _, _, _) in uris {
                let (answer, status) = try await client.execute(
                    uri: uri,
                    method: method,
                    headers: Self.headers(Self.ownerKey)
                ) { (try Self.json($0), $0.status.code) }
                let template = try #require(
                    paths.keys.first { Self.pattern($0) == Self.pattern(uri) && $0.hasPrefix("/") },
                    "\(uri)"
                )
                let name = try #require(
                    Self.schemaName(paths[template]?[method.rawValue.lowercased()], status),
                    "\(uri)"
                )
                let properties = try #require(schemas[name]?["properties"] as? [String: any Sendable])
                let required = schemas[name]?["required"] as? [String] ?? []
                #expect(Set(answer.keys).isSubset(of: properties.keys), "\(uri) \(answer.keys)")
                #expect(Set(required).isSubset(of: answer.keys), "\(uri)")
            }
        }
    }

    /// The schema of an operation's answer with a status.
    private static func schemaName(_ operation: (any Sendable)?, _ status: Int) -> String? {
        let responses = (operation as? [String: any Sendable])?["responses"] as? [String: [String: any Sendable]]
        return responses?["\(status)"]?["description"] as? String
    }

    /// An address without its numbers.
    private static func pattern(_ path: String) -> String {
        path.split(separator: "?")[0].split(separator: "/").map { part in
            part.hasPrefix("{") || part.allSatisfy(\.isNumber) ? "*" : String(part)
        }.joined(separator: "/")
    }

    @Test("find the nearest of the owner's images, of a chat's or of all, within what the caller may see")
    func similar() async throws {
        try await withServer { client, bot in
            func found(_ uri: String, _ key: String) async throws -> [Int] {
                try await client.execute(uri: uri, method: .get, headers: Self.headers(key)) { try Self.ids($0) }
            }
            #expect(try await found("/api/v1/images/1/similar", Self.ownerKey) == [2, 3])
            #expect(try await found("/api/v1/images/1/similar?scope=all&limit=4", Self.ownerKey) == [2, 3, 4, 5])
            #expect(try await found("/api/v1/images/1/similar?scope=all", Self.userKey) == [2, 3])
            #expect(try await found("/api/v1/images/5/similar?scope=chat", Self.ownerKey) == [6, 4])
            #expect(try await found("/api/v1/images/1/similar?scope=all&threshold=0.9999", Self.ownerKey) == [])
            try bot.execute("DELETE FROM images WHERE id = 2")
            #expect(try await found("/api/v1/images/1/similar", Self.userKey) == [3])
        }
    }

    @Test("refuse parameters that make no sense, with a sentence")
    func badRequests() async throws {
        try await withServer { client, _ in
            for uri in [
                "/api/v1/images/x/similar", "/api/v1/images/1/similar?limit=0", "/api/v1/images/1/similar?limit=101",
                "/api/v1/images/1/similar?threshold=nan", "/api/v1/images/1/similar?threshold=2",
                "/api/v1/images/1/similar?scope=world", "/api/v1/search?q=%20", "/api/v1/stats?user_id=-1",
            ] {
                try await client.execute(uri: uri, method: .get, headers: Self.headers(Self.ownerKey)) { response in
                    #expect(response.status == .badRequest, "\(uri)")
                    let problem = try Self.json(response)
                    #expect(problem["code"] as? String == "bad-request")
                }
            }
        }
    }

    @Test("give a thumbnail of at most 320 pixels, made anew")
    func thumbnail() async throws {
        try await withServer { client, _ in
            let uri = "/api/v1/images/1/thumbnail"
            let body = try await client.execute(uri: uri, method: .get, headers: Self.headers(Self.ownerKey)) {
                response in
                #expect(response.headers[.contentType] == "image/jpeg")
                #expect(response.headers[.cacheControl] == "private, no-store")
                return Array(response.body.readableBytesView)
            }
            let picture = try ImageDecoder.decode(body)
            #expect(picture.width == 320 && picture.height == 213)
        }
    }

    @Test("are counted, each address with its numbers left out, in lines that Prometheus can read")
    func metrics() async throws {
        try await withServer { client, _ in
            for uri in ["/api/v1/images/1", "/api/v1/images/2", "/nothing/\\\"here"] {
                try await client.execute(uri: uri, method: .get, headers: Self.headers(Self.ownerKey)) { _ in }
            }
            let text = try await client.execute(uri: "/metrics", method: .get, headers: Self.headers(Self.ownerKey)) {
                String(buffer: $0.body)
            }
            let lines = text.split(separator: "\n")
            let counted = #"semblance_requests_total{method="GET",route="/api/v1/images/{id}",status="200"} 2"#
            #expect(lines.contains { $0 == counted }, "\(text)")
            #expect(lines.contains(#"semblance_images{state="embedded"} 6"#))
            #expect(text.contains(#"route="NotFound",status="404"} 1"#) && !text.contains("nothing"))
            let line = /(# TYPE [a-z_]+ (counter|gauge|histogram))|([a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+)/
            for found in lines { #expect(found.wholeMatch(of: line) != nil, "\(found)") }
        }
    }

    @Test("say how it goes: everything to the owner, one word to others, in the bot's own shape")
    func health() async throws {
        try await withServer { client, _ in
            try await client.execute(uri: "/health", method: .get) { response in
                let health = try Self.json(response)
                #expect(health.keys.sorted() == ["status"])
            }
            try await client.execute(uri: "/health", method: .get, headers: Self.headers(Self.ownerKey)) { response in
                let health = try Self.json(response)
                #expect(
                    health["service"] as? String == "telegram-agent" && health["database"] as? String == "connected"
                )
                let rows = try #require(health["stats"] as? [String: Int])
                #expect(rows == ["users": 2, "chats": 2, "images": 6])
                let counts = try #require(health["embedding_stats"] as? [String: any Sendable])
                #expect(counts["total_images"] as? Int == 6 && counts["with_embeddings"] as? Int == 6)
                #expect(counts["without_embeddings"] as? Int == 0 && counts["coverage_percentage"] as? Double == 100)
                #expect(health["status"] as? String == "degraded")
                #expect(health["reasons"] as? [String] == ["index: missing or not whole"])
            }
        }
    }

    @Test("do nothing for another site's page, whatever its visitor's browser sends along")
    func crossOrigin() async throws {
        try await withServer(keys: false) { client, _ in
            let cases: [(String, String, Int)] = [
                ("Origin", "https://evil.example", 403), ("Origin", "null", 403), ("Origin", "http://localhost", 202),
                ("Sec-Fetch-Site", "cross-site", 403), ("Sec-Fetch-Site", "same-site", 403),
                ("Sec-Fetch-Site", "same-origin", 202), ("Sec-Fetch-Site", "none", 202),
            ]
            for (name, value, status) in cases {
                var headers: HTTPFields = [:]
                headers[try #require(HTTPField.Name(name))] = value
                try await client.execute(uri: "/api/v1/jobs/backfill", method: .delete, headers: headers) { response in
                    #expect(response.status.code == status, "\(name): \(value)")
                }
                try await client.execute(uri: "/api/v1/stats", method: .get, headers: headers) { response in
                    #expect(response.status.code == 200)
                }
            }
        }
    }

    @Test("run one backfill at a time, and tell how it goes until it is over")
    func backfill() async throws {
        try await withServer { client, _ in
            let uri = "/api/v1/jobs/backfill"
            var headers = Self.headers(Self.ownerKey)
            try await client.execute(uri: uri, method: .post, headers: headers) { #expect($0.status == .accepted) }
            try await client.execute(uri: uri, method: .post, headers: headers) { response in
                let problem = try Self.json(response)
                #expect(problem["code"] as? String == "already-running")
            }
            try await client.execute(uri: uri, method: .delete, headers: headers) { #expect($0.status == .accepted) }
            headers[.accept] = "text/event-stream"
            try await client.execute(uri: uri, method: .get, headers: headers) { response in
                #expect(response.headers[.contentType] == "text/event-stream")
                let text = String(buffer: response.body)
                #expect(text.hasPrefix("event: progress\ndata: {") && text.contains(#""state":"cancelled""#), "\(text)")
            }
        }
    }

    @Test("let a person in by a key and a cookie, which ends with logging out")
    func session() async throws {
        try await withServer { client, _ in
            var browser: HTTPFields = [.accept: "text/html", .contentType: "application/x-www-form-urlencoded"]
            try await client.execute(uri: "/", method: .get, headers: browser) { response in
                #expect(response.status == .seeOther && response.headers[.location] == "/login")
            }
            func logIn(_ key: String) async throws -> TestResponse {
                let body = ByteBuffer(string: "key=\(key)")
                return try await client.execute(uri: "/login", method: .post, headers: browser, body: body) { $0 }
            }
            #expect(try await logIn("wrong").headers[.setCookie] == nil)
            let cookie = try #require(try await logIn(Self.userKey).headers[.setCookie])
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(Self.userKey))
            browser[.cookie] = "other=1; " + cookie.prefix { $0 != ";" }
            try await client.execute(uri: "/", method: .get, headers: browser) { response in
                let page = String(buffer: response.body)
                #expect(page.contains("/pictures/1") && !page.contains("/pictures/4") && !page.contains("/dashboard"))
            }
            try await client.execute(uri: "/pictures/4", method: .get, headers: browser) { response in
                #expect(response.status == .notFound && response.headers[.contentType]?.hasPrefix("text/html") == true)
            }
            try await client.execute(uri: "/logout", method: .post, headers: browser) { _ in }
            try await client.execute(uri: "/", method: .get, headers: browser) { #expect($0.status == .seeOther) }
        }
    }

    @Test("take a picture from a browser's form")
    func form() throws {
        let bytes = JPEGWriter.picture(1, width: 40, height: 30)
        let head = "--xyz\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.jpg\"\r\n\r\n"
        let body = Array(head.utf8) + bytes + Array("\r\n--xyz--\r\n".utf8)
        let type = "multipart/form-data; boundary=xyz"
        #expect(UploadedFile(body, contentType: type)?.bytes == bytes)
        for length in [0, 10, head.utf8.count, body.count - 12] {
            #expect(UploadedFile(body.prefix(length), contentType: type) == nil)
        }
        for type in [nil, "text/plain", "multipart/form-data", "multipart/form-data; boundary="] {
            #expect(UploadedFile(body, contentType: type) == nil)
        }
    }

    @Test("escape every value: no template has a place that does not")
    func templates() throws {
        let folder = Fixtures.project.appending("Sources/HTTPServer/Gallery/Templates").string
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
            #expect(!text.contains("{{{") && !text.contains("{{&") && !text.contains("style="), "\(name)")
            #expect(text.matches(of: /<script/).allSatisfy { text[$0.range.lowerBound...].hasPrefix("<script src=") })
        }
    }

    @Test("are rated for each key, but for those that tell how it goes")
    func rate() async throws {
        try await withServer { client, _ in
            func status(_ uri: String, _ key: String) async throws -> Int {
                try await client.execute(uri: uri, method: .get, headers: Self.headers(key)) { $0.status.code }
            }
            for _ in 0..<1200 { _ = try await status("/api/v1/openapi.json", Self.userKey) }
            #expect(try await status("/api/v1/openapi.json", Self.userKey) == 429)
            #expect(try await status("/health/live", Self.userKey) == 200)
            #expect(try await status("/api/v1/openapi.json", Self.ownerKey) == 200)
        }
    }

    @Test("need no key where none is set, and then a host that is theirs")
    func open() async throws {
        try await withServer(keys: false) { client, _ in
            try await client.execute(uri: "/api/v1/stats", method: .get) { #expect($0.status == .ok) }
        }
        let gate = HostGate(hosts: ["127.0.0.1", "::1", "localhost"])
        for (authority, name) in [("127.0.0.1:8000", "127.0.0.1"), ("[::1]:80", "::1"), ("LOCALHOST", "localhost")] {
            #expect(HostGate.name(in: authority) == name && gate.hosts.contains(name))
        }
        for authority in ["evil.com", "127.0.0.1.evil.com:80", "", "[::2]"] {
            #expect(!gate.hosts.contains(HostGate.name(in: authority)))
        }
    }
}

/// Embeds nothing, and knows one image whose file is damaged and one that the bot is not done with.
private final class StandInEmbedder: ImageEmbedder {
    private let state = Mutex(BackfillState())

    func embed(_ image: Int64) -> EmbeddingOutcome {
        switch image {
        case 2: .failed(class: "corrupt")
        case 3: .notCompleted
        default: .embedded
        }
    }

    func startBackfill() -> Bool {
        state.withLock { state in
            defer { state.state = .running }
            return state.state != .running
        }
    }
    func cancelBackfill() { state.withLock { $0.state = .cancelled } }
    var backfill: BackfillState { state.withLock { $0 } }
    func lookAround() {}
    var trouble: String? { nil }
    func stop() {}
}

@Suite("The rate of requests")
struct RateLimitTests {
    @Test("is limited for each key by itself, a minute at a time")
    func minutes() throws {
        let limit = RateLimit(perMinute: 3)
        let start = ContinuousClock.now
        for _ in 0..<3 { try limit.count(.user(1), now: start) }
        let error = #expect(throws: Problem.self) { try limit.count(.user(1), now: start + .seconds(59)) }
        #expect(error?.response.status == .tooManyRequests && error?.response.headers[.retryAfter] == "60")
        try limit.count(.owner, now: start)
        try limit.count(.user(1), now: start + .seconds(60))
    }
}

@Suite("Keys")
struct AccessTests {
    @Test("are compared as a whole, and tell who asks")
    func callers() {
        let key = String(repeating: "k", count: 32)
        let access = Access(keys: [(key, .owner), (key + "2", .user(5))])
        #expect(access.caller(authorization: "Bearer \(key)") == .owner)
        #expect(access.caller(authorization: "bearer \(key)2") == .user(5))
        for wrong in [nil, "", "Bearer", "Bearer ", key, "Basic \(key)", "Bearer \(key.dropLast())", "Bearer \(key)3"] {
            #expect(access.caller(authorization: wrong) == nil)
        }
        #expect(Access(keys: []).caller(authorization: nil) == .owner)
    }
}

@Suite("A deadline")
struct DeadlineTests {
    @Test("ends what takes too long, and lets everything else through")
    func limits() async throws {
        #expect(try await Deadline.limit(.seconds(20)) { 5 } == 5)
        let error = await #expect(throws: Problem.self) {
            try await Deadline.limit(.milliseconds(20)) { try await Task.sleep(for: .seconds(60)) }
        }
        #expect(error?.code == .tooSlow)
    }
}

@Suite("Blocking work")
struct BlockingWorkTests {
    @Test("refuses what is too much at once, and goes on when there is room")
    func overload() async throws {
        let work = BlockingWork(width: 2, largestQueue: 3)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        try await work.run { _ = usleep(200_000) }
                        return true
                    } catch { return (error as? Problem)?.code != .overloaded }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 } == 3)
        #expect(try await work.run { 7 } == 7)
    }
}
