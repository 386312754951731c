import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The server's worker")
    struct WorkerTests {
        /// Whether an image's row holds a vector of the library's model.
        private func isEmbedded(_ library: Library, _ image: Int) throws -> Bool {
            let label: String? = try library.bot.value("SELECT embedding_model FROM images WHERE id = \(image)")
            let size: Int? = try library.bot.value("SELECT length(embedding) FROM images WHERE id = \(image)")
            return label == Library.model && size == 2052
        }

        @Test("embeds an image at once where it is asked to, and says why where it cannot")
        func embedNow() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                try library.write(Array("no picture".utf8), "data/img/4.jpg")
                try library.bot.addImage(id: 4, compressed: "data/img/4.jpg")
                try library.bot.addImage(id: 5, compressed: "data/img/5.jpg", status: "processing")
                try library.withServer { port in
                    let done = try library.ask(port, "/api/v1/images/2/embed", method: "POST")
                    #expect(done.status == 200 && done.body["embedded"] as? Bool == true, "\(done.body)")
                    #expect(try isEmbedded(library, 2) && !isEmbedded(library, 1))
                    #expect(try library.ask(port, "/api/v1/images/3/embed", method: "POST").status == 200)
                    let similar = try library.ask(port, "/api/v1/images/2/similar?threshold=-1")
                    #expect((similar.body["hits"] as? [any Sendable])?.count == 1, "\(similar.body)")
                    let broken = try library.ask(port, "/api/v1/images/4/embed", method: "POST")
                    #expect(broken.status == 422 && broken.body["code"] as? String == "not-embeddable")
                    #expect((broken.body["detail"] as? String)?.contains("unsupported") == true, "\(broken.body)")
                    let early = try library.ask(port, "/api/v1/images/5/embed", method: "POST")
                    #expect(early.status == 409 && early.body["code"] as? String == "not-completed")
                    #expect(try library.ask(port, "/api/v1/images/6/embed", method: "POST").status == 404)
                    #expect(try library.run("generate", "--all-users").output.contains("Embedded: 1"))
                    #expect(try library.ask(port, "/api/v1/images/1/embed", method: "POST").status == 200)
                }
                #expect(try library.run("verify").status == 0)
            }
        }

        @Test("notices new, completed and overwritten images of artistic mode, or of all, or of none")
        func autoEmbedding() throws {
            for (policy, artistic, plain) in [("artistic", true, false), ("all", true, true), ("off", false, false)] {
                try withLibrary { library in
                    try library.addPictures(1...4)
                    try library.bot.execute("UPDATE images SET mode_used = 'artistic' WHERE id IN (2, 4)")
                    try library.bot.execute("UPDATE images SET processing_status = 'processing' WHERE id = 2")
                    try library.withServer(with: ["SEMBLANCE_AUTO_EMBED": policy]) { port in
                        try library.bot.execute("UPDATE images SET processing_status = 'completed' WHERE id = 2")
                        try library.addPictures(5...5)
                        try library.bot.execute("UPDATE images SET mode_used = 'artistic' WHERE id = 5")
                        if artistic {
                            try waitUntil { try [2, 4, 5].allSatisfy { try isEmbedded(library, $0) } }
                        } else {
                            Thread.sleep(forTimeInterval: 6)
                            #expect(try !isEmbedded(library, 4) && !isEmbedded(library, 5))
                        }
                        if plain { try waitUntil { try isEmbedded(library, 1) && isEmbedded(library, 3) } }
                        #expect(try isEmbedded(library, 1) == plain)
                        try waitUntil {
                            try library.ask(port, "/health").body["database"] as? String == "connected"
                        }
                    }
                }
            }
        }

        @Test("replaces what the bot writes over a vector, after one copy of the bot's database")
        func overwritten() throws {
            try withLibrary { library in
                let fake = Data(try Fixtures.fakeBlob())
                try library.addPictures(1...2, embedding: fake, label: Library.model)
                try library.bot.execute("UPDATE images SET mode_used = 'artistic'")
                try library.withServer { _ in
                    try waitUntil { try isEmbedded(library, 1) && isEmbedded(library, 2) }
                    let folder = library.folder.appending("data").string
                    let copies = try FileManager.default.contentsOfDirectory(atPath: folder)
                        .filter { $0.contains(".backup-") }
                    #expect(copies.count == 1, "\(copies)")
                }
            }
        }

        @Test("runs a backfill that can be watched and cancelled, beside which single images are embedded")
        func backfill() throws {
            try withLibrary { library in
                try library.addPictures(1...400)
                try library.withServer { port in
                    let job = "/api/v1/jobs/backfill"
                    #expect(try library.ask(port, job).body["state"] as? String == "idle")
                    #expect(try library.ask(port, job, method: "POST").status == 202)
                    #expect(try library.ask(port, job, method: "POST").body["code"] as? String == "already-running")
                    let other = try library.run("generate", "--all-users")
                    #expect(other.status == 75 || other.status == 0, "\(other.errors)")
                    #expect(try library.ask(port, "/api/v1/images/400/embed", method: "POST").status == 200)
                    let script = """
                        import sys, urllib.request
                        request = urllib.request.Request(sys.argv[1], headers={'Accept': 'text/event-stream'})
                        print(urllib.request.urlopen(request, timeout=60).read().decode())
                        """
                    let events = try library.startTool(["python3", "-c", script, "http://127.0.0.1:\(port)\(job)"])
                        .wait(atMost: .seconds(60))
                    #expect(events.output.contains(#""state":"done""#), "\(events.output)")
                    #expect(try library.vectorCount() == 400)
                    let state = try library.ask(port, job).body
                    #expect(state["state"] as? String == "done" && state["done"] as? Int ?? 0 >= 399, "\(state)")
                    try library.addPictures(401...900)
                    #expect(try library.ask(port, job, method: "POST").status == 202)
                    try waitUntil { try library.ask(port, job).body["done"] as? Int ?? 0 > 0 }
                    #expect(try library.ask(port, job, method: "DELETE").status == 202)
                    try waitUntil { try library.ask(port, job).body["state"] as? String != "running" }
                    try library.addPictures(901...1400)
                    #expect(try library.ask(port, job, method: "POST").status == 202)
                }
                // The server was stopped in the middle of the last one.
                #expect(try library.run("generate", "--all-users").status == 0)
                #expect(try library.vectorCount() == 1400)
                #expect(try library.run("verify").status == 0)
            }
        }

        @Test("lets the vectors of deleted images go within a minute")
        func deletion() throws {
            try withLibrary { library in
                try library.addPictures(1...5)
                #expect(try library.run("generate", "--all-users").status == 0)
                try library.withServer { _ in
                    Thread.sleep(forTimeInterval: 3)
                    try library.bot.execute("DELETE FROM images WHERE id = 3")
                    try waitUntil { try library.vectorCount() == 4 }
                }
            }
        }

        @Test("says in /health where the model gives other vectors than when the space was begun")
        func knownAnswers() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                #expect(try library.run("generate", "--all-users").status == 0)
                func model(_ port: Int) throws -> String? {
                    (try library.ask(port, "/health").body["checks"] as? [String: String])?["model"]
                }
                try library.withServer { port in
                    Thread.sleep(forTimeInterval: 3)
                    let answer = try model(port)
                    #expect(answer == "ok")
                }
                try library.vectorsExecute(
                    """
                    UPDATE known_answers SET blob = (SELECT k.blob FROM known_answers k WHERE k.picture = 1)
                    WHERE picture = 0
                    """
                )
                try library.withServer { port in
                    try waitUntil { try model(port)?.contains("other vectors") == true }
                    #expect(try library.ask(port, "/health").body["status"] as? String == "degraded")
                }
            }
        }
    }
}
