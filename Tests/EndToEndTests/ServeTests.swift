import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The server")
    struct ServeTests {
        private func ids(_ body: [String: any Sendable]) -> [Int] {
            (body["hits"] as? [[String: any Sendable]] ?? []).compactMap { hit in
                (hit["image"] as? [String: any Sendable])?["id"] as? Int
            }
        }

        @Test("answers by id and by picture, sees what generate adds, changes nothing, and stops when it is told to")
        func answers() throws {
            try withLibrary { library in
                try library.addPictures(1...10)
                #expect(try library.run("generate", "--all-users").status == 0)
                let before = try library.snapshot()
                try library.withServer { port in
                    let similar = try library.ask(port, "/api/v1/images/1/similar?threshold=-1&limit=100")
                    #expect(similar.status == 200 && Set(ids(similar.body)) == Set(2...10))
                    let upload = try library.ask(
                        port,
                        "/api/v1/similar?threshold=0.9999",
                        upload: library.folder.appending("data/img/7.jpg").string
                    )
                    #expect(upload.status == 200 && ids(upload.body) == [7])
                    let bad = try library.ask(
                        port,
                        "/api/v1/similar",
                        upload: library.folder.appending("models/clip-ViT-B-32/config.json").string
                    )
                    #expect(bad.status == 415 && bad.body["code"] as? String == "unsupported-picture")
                    #expect(try library.snapshot() == before)
                    try library.addPictures(11...12)
                    #expect(try library.run("generate", "--all-users").status == 0)
                    let more = try library.ask(port, "/api/v1/images/1/similar?threshold=-1&limit=100")
                    #expect(Set(ids(more.body)) == Set(2...12))
                    let health = try library.ask(port, "/health")
                    #expect(health.status == 200 && health.body["status"] as? String == "healthy", "\(health.body)")
                    try FileManager.default.removeItem(atPath: library.vectors.string)
                    #expect(
                        try library.ask(port, "/api/v1/images/1/similar").body["code"] as? String == "not-embedded"
                    )
                    #expect(try library.run("generate", "--all-users").status == 0)
                    #expect(
                        try ids(library.ask(port, "/api/v1/images/1/similar?threshold=-1&limit=2").body).count == 2
                    )
                }
            }
        }

        @Test("is asked by the example for Python, which says the server's own sentence where something is wrong")
        func example() throws {
            try withLibrary { library in
                try library.addPictures(1...5)
                #expect(try library.run("generate", "--all-users").status == 0)
                let script = Fixtures.project.appending("examples/python_bot.py").string
                try library.withServer { port in
                    func run(_ arguments: String...) throws -> Program.Outcome {
                        let address = "http://127.0.0.1:\(port)"
                        return try library.startTool(["python3", script, address] + arguments).wait()
                    }
                    try waitUntil { try run("health").output == "healthy 100\n" }
                    let picture = try run("picture", "data/img/4.jpg")
                    #expect(picture.output.hasPrefix("image 4: 1.000\n"), "\(picture.output)\(picture.errors)")
                    try library.addPictures(6...6)
                    #expect(try run("embed", "6").output == "image 6 is embedded\n")
                    let unknown = try run("similar", "99")
                    #expect(unknown.status == 1 && unknown.errors == "Semblance: not-found: There is no image 99.\n")
                }
            }
        }

        @Test("goes over to another model with the rest, without an answer that mixes both")
        func otherModel() throws {
            try withLibrary { library in
                try FileManager.default.copyItem(
                    atPath: Fixtures.models.appending("tiny-clip-gelu").string,
                    toPath: library.folder.appending("models/new").string
                )
                try library.addPictures(1...10)
                #expect(try library.run("generate", "--all-users").status == 0)
                try library.withServer { port in
                    let path = "/api/v1/images/1/similar?threshold=-1"
                    #expect(try library.ask(port, path).body["model"] as? String == Library.model)
                    #expect(try library.run("generate", "--all-users", with: ["EMBEDDING_MODEL": "new"]).status == 0)
                    let after = try library.ask(port, path)
                    #expect(after.body["model"] as? String == "new" && ids(after.body).count == 5)
                    let picture = library.folder.appending("data/img/3.jpg").string
                    let upload = try library.ask(port, "/api/v1/similar?threshold=0.9999", upload: picture)
                    #expect(ids(upload.body) == [3] && upload.body["model"] as? String == "new")
                }
            }
        }

        @Test("tells its health while the bot's database is locked, and when it is gone")
        func lockedDatabase() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                #expect(try library.run("generate", "--all-users").status == 0)
                try library.withServer { port in
                    try waitUntil { try library.ask(port, "/health").body["database"] as? String == "connected" }
                    let lock = """
                        import sqlite3, time
                        c = sqlite3.connect('\(library.database)', isolation_level=None)
                        c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(60)
                        """
                    let bot = try library.startTool(["python3", "-u", "-c", lock])
                    defer { bot.signal(SIGKILL) }
                    try waitUntil { try library.ask(port, "/health").body["database"] as? String != "connected" }
                    let health = try library.ask(port, "/health")
                    #expect(health.status == 200 && health.body["status"] as? String == "degraded", "\(health.body)")
                    bot.signal(SIGKILL)
                    _ = try bot.wait()
                    try waitUntil { try library.ask(port, "/health").body["status"] as? String == "healthy" }
                }
            }
        }

        @Test(
            "closes connections that drip, that take nothing, or whose head is too large, and goes on answering others"
        )
        func slowHeads() throws {
            try withLibrary { library in
                try library.addPictures(1...2)
                try library.withServer { port in
                    let script = """
                        import socket, sys, time
                        port = int(sys.argv[1])
                        def connect():
                            s = socket.create_connection(('127.0.0.1', port)); s.settimeout(0.2); return s
                        lazy = socket.socket(); lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                        lazy.connect(('127.0.0.1', port)); lazy.settimeout(1)
                        asked = 2000
                        try: lazy.sendall(b'GET /api/v1/openapi.json HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' * asked)
                        except OSError: pass
                        slow = [connect() for _ in range(20)]
                        for s in slow: s.sendall(b'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nX: ')
                        start, open_ = time.monotonic(), set(slow)
                        while open_ and time.monotonic() - start < 40:
                            for s in list(open_):
                                try:
                                    s.sendall(b'y')
                                    if s.recv(100) == b'': open_.discard(s)
                                except socket.timeout: pass
                                except OSError: open_.discard(s)
                        time.sleep(6)
                        answers, lazy_ended = b'', False
                        try:
                            while piece := lazy.recv(1 << 20): answers += piece
                            lazy_ended = True
                        except socket.timeout: pass
                        except OSError: lazy_ended = True
                        big = connect()
                        big.settimeout(5)
                        big.sendall(b'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nX: ' + b'y' * 100000 + b'\\r\\n\\r\\n')
                        try: answer = big.recv(100)
                        except OSError: answer = b''
                        print(len(open_), b' 200 ' in answer, lazy_ended and answers.count(b'HTTP/1.1 200') < asked)
                        """
                    let drip = try library.startTool(["python3", "-c", script, "\(port)"])
                    for _ in 0..<5 { #expect(try library.ask(port, "/health").status == 200) }
                    let outcome = try drip.wait()
                    #expect(outcome.output == "0 False True\n", "\(outcome.output)\(outcome.errors)")
                    #expect(try library.ask(port, "/health").status == 200)
                }
            }
        }

        @Test("gives hostile requests no file, no answer without a key, and no second answer hidden in a body")
        func hostileRequests() throws {
            try withLibrary { library in
                let key = String(repeating: "k", count: 32)
                let canary = UUID().uuidString
                for path in ["canary.txt", "data/canary.txt"] { try library.write(Array(canary.utf8), path) }
                try library.withServer(with: ["SEMBLANCE_API_KEY": key]) { port in
                    let script = FilePath(#filePath).removingLastComponent().appending("hostile_requests.py").string
                    let outcome = try library.startTool(["python3", script, "\(port)", key, canary]).wait()
                    #expect(outcome.output == "507 sent\n", "\(outcome.output)\(outcome.errors)")
                    #expect(try library.ask(port, "/api/v1/stats", key: key).status == 200)
                }
            }
        }

        @Test("goes on with few files that it may open, however many connections come")
        func fewFiles() throws {
            try withLibrary { library in
                try library.addPictures(1...2)
                #expect(try library.run("generate", "--all-users").status == 0)
                let serve = "ulimit -n 256; exec \(Program.semblance.string) serve --address 127.0.0.1:0"
                let server = try library.startTool(["sh", "-c", serve])
                defer { server.signal(SIGKILL) }
                try waitUntil { server.errorsSoFar.contains("port ") || !server.isRunning }
                let port = try #require(server.errorsSoFar.firstMatch(of: /port (\d+)\./).flatMap { Int($0.1) })
                let script = """
                    import socket, sys, time
                    def ask(s):
                        s.settimeout(10)
                        s.sendall(b'GET /api/v1/images/1/thumbnail HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
                        return b' 200 ' in s.recv(100)
                    first = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
                    held = [socket.create_connection(('127.0.0.1', int(sys.argv[1]))) for _ in range(350)]
                    time.sleep(1)
                    print(ask(first))
                    """
                #expect(try library.startTool(["python3", "-c", script, "\(port)"]).wait().output == "True\n")
                try waitUntil { try library.ask(port, "/health").status == 200 }
                server.signal(SIGTERM)
                #expect(try server.wait(atMost: .seconds(20)).status == 0)
            }
        }

        @Test("wants a long key on any address that others can reach, and says what is wrong with the settings")
        func settings() throws {
            try withLibrary { library in
                let long = String(repeating: "k", count: 32)
                let cases: [([String: String], Int32, String)] = [
                    (["SEMBLANCE_ADDRESS": "0.0.0.0:0"], 64, "SEMBLANCE_API_KEY"),
                    (["SEMBLANCE_ADDRESS": "0.0.0.0:0", "SEMBLANCE_API_KEY": "short"], 64, "32 bytes"),
                    (["SEMBLANCE_ADDRESS": "0.0.0.0:0", "SEMBLANCE_USER_KEYS": "1:\(long)"], 64, "SEMBLANCE_API_KEY"),
                    (["SEMBLANCE_ADDRESS": "127.0.0.1.example.org:0"], 64, "SEMBLANCE_API_KEY"),
                    (["SEMBLANCE_ADDRESS": "nowhere"], 64, "HOST:PORT"),
                    (["SEMBLANCE_ADDRESS": "h:99999"], 64, "HOST:PORT"),
                    (["SEMBLANCE_AUTO_EMBED": "some"], 64, "artistic, all, off"),
                    (["SEMBLANCE_USER_KEYS": long], 64, "USER:KEY"), (["DATABASE_URL": "none.db"], 66, "none.db"),
                ]
                for (settings, status, words) in cases {
                    let outcome = try library.run("serve", with: settings)
                    #expect(outcome.status == status && outcome.errors.contains(words), "\(settings) \(outcome.errors)")
                    #expect(!outcome.errors.contains(long))
                }
                let doctor = try library.run(
                    "doctor",
                    with: ["SEMBLANCE_API_KEY": long, "SEMBLANCE_USER_KEYS": "1:\(long)"]
                )
                #expect(!doctor.output.contains(long))
                try library.addPictures(1...2)
                let keys = ["SEMBLANCE_API_KEY": long, "SEMBLANCE_ADDRESS": "0.0.0.0:0"]
                try library.withServer(with: keys) { port in
                    #expect(try library.ask(port, "/api/v1/stats").status == 401)
                    #expect(try library.ask(port, "/api/v1/stats", key: long).status == 200)
                    let busy = try library.run("serve", "--address", "127.0.0.1:\(port)")
                    #expect(busy.status == 69 && busy.errors.contains("\(port)"), "\(busy.errors)")
                }
            }
        }
    }
}
