import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A database that the bot writes meanwhile")
    struct SharedDatabaseTests {
        @Test("is shared with short and nine-second transactions; both end well", arguments: ["DELETE", "WAL"])
        func busyBot(mode: String) throws {
            try withLibrary(journalMode: mode) { library in
                try library.addPictures(1...400)
                let bot = try library.startBot("work", library.database.string, "11")
                let run = try library.start(["generate", "--all-users", "--batch-size", "3", "--json"])
                let outcome = try run.wait()
                #expect(outcome.status == 0, "\(outcome.errors)")
                let object =
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: any Sendable]
                let longest = try #require(object?["longest_write_milliseconds"] as? Double)
                print("longest write transaction, journal mode \(mode): \(longest) ms")
                #expect(longest < 250)
                let botOutcome = try bot.wait()
                #expect(botOutcome.status == 0 && botOutcome.output.contains("written"), "\(botOutcome.errors)")
                print("the bot's own transactions meanwhile: \(botOutcome.output.split(separator: "\n").last ?? "")")
                #expect(try library.json("stats")["with_embeddings"] as? Int == 400)
                #expect(try library.bot.value("PRAGMA journal_mode") == mode.lowercased())
                #expect(try library.integrity() == ["ok", "ok"])
            }
        }

        @Test("is waited for; vectors that were computed are kept when the wait is too long")
        func lockedTooLong() throws {
            try withLibrary { library in
                try library.addPictures(1...20)
                let bot = try library.startBot("hold", library.database.string, "60")
                defer { bot.signal(SIGKILL) }
                try waitUntil { try library.snapshot().keys.contains("telegram_agent.db-journal") }
                let run = try library.start(["generate", "--all-users"])
                let outcome = try run.wait()
                #expect(outcome.status == 75, "\(outcome.errors)")
                #expect(outcome.errors.contains("Waiting for another program"))
                bot.signal(SIGKILL)
                _ = try bot.wait()
                let computed = try library.vectorCount()
                #expect(computed >= 10)
                let next = try library.run("generate", "--all-users")
                #expect(
                    next.status == 0 && next.output.contains("Written into the bot's database: \(computed)"),
                    "\(next.output)"
                )
                #expect(try library.json("stats")["with_embeddings"] as? Int == 20)
            }
        }

        @Test("is filled once, however many runs begin at the same time")
        func together() throws {
            try withLibrary { library in
                try library.addPictures(1...60)
                let runs = try (0..<6).map { _ in try library.start(["generate", "--all-users"]) }
                let outcomes = try runs.map { try $0.wait() }
                #expect(outcomes.contains { $0.status == 0 } && outcomes.allSatisfy { [0, 75].contains($0.status) })
                #expect(outcomes.filter { $0.status == 75 }.allSatisfy { $0.errors.contains("running already") })
                #expect(try library.vectorCount("SELECT sum(embedded) FROM runs") == 60)
                #expect(try library.json("stats")["with_embeddings"] as? Int == 60)
            }
        }

        @Test("is worked on by one run at a time; the second says who is there")
        func secondRun() throws {
            try withLibrary { library in
                try library.addPictures(1...400)
                let first = try library.start(["generate", "--all-users", "--batch-size", "2"])
                try waitUntil { first.errorsSoFar.contains("images") }
                let second = try library.run("generate", "--all-users")
                #expect(second.status == 75 && second.errors.contains("process \(first.id)"), "\(second.errors)")
                #expect(try first.wait().status == 0)
            }
        }

        @Test("whose lock another run holds closes nothing twice, which could be another file")
        func refusedLock() throws {
            try withLibrary { library in
                try library.addPictures(1...2)
                #expect(try library.run("generate", "--all-users").status == 0)
                let holder = open(library.vectors.string + ".lock", O_RDWR | O_CLOEXEC)
                defer { close(holder) }
                #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
                let trace = library.folder.appending("trace").string
                let command = [Program.semblance.string, "generate", "--all-users"]
                let outcome = try library.startTool(["strace", "-f", "-o", trace, "-e", "trace=close"] + command).wait()
                #expect(outcome.status == 75 && outcome.errors.contains("running already"), "\(outcome.errors)")
                let closes = try String(contentsOfFile: trace, encoding: .utf8)
                #expect(closes.contains("close(") && !closes.contains("EBADF"), "\(closes)")
            }
        }
    }
}
