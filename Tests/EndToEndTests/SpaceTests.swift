import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A change of the model")
    struct SpaceTests {
        /// Two tiny models under names of their own.
        private func withModels(_ count: Int64 = 12, _ body: (Library) throws -> Void) throws {
            try withLibrary { library in
                let target = library.folder.appending("models/new").string
                try FileManager.default.copyItem(
                    atPath: Fixtures.models.appending("tiny-clip-gelu").string,
                    toPath: target
                )
                try library.addPictures(1...count)
                try body(library)
            }
        }

        private let new = ["EMBEDDING_MODEL": "new"]

        private func generate(_ library: Library, _ options: String..., with model: [String: String] = [:]) throws {
            let outcome = try library.start(["generate", "--all-users"] + options, with: model).wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
        }

        /// What `similar` says of image 1, and of which model.
        private struct Answer: Decodable, Equatable {
            struct Hit: Decodable, Equatable {
                let image_id: Int64
                let similarity: Double
            }
            let model: String
            let similar: [Hit]
        }

        private func answer(_ library: Library, with model: [String: String] = [:]) throws -> Answer {
            let arguments = ["similar", "1", "--json", "--threshold", "-1"]
            let outcome = try library.start(arguments, with: model).wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
        }

        @Test("leaves answers and the bot's rows as they are until everything has a vector of the new one")
        func gradually() throws {
            try withModels { library in
                try generate(library)
                let rows = try library.bot.embeddings()
                let before = try answer(library)
                let part = try library.run("generate", "--all-users", "--limit", "5", with: new)
                #expect(
                    part.status == 0 && part.errors.contains("Answers still come from clip-ViT-B-32"),
                    "\(part.errors)"
                )
                #expect(try library.bot.embeddings() == rows && answer(library, with: new) == before)
                let stats = try library.run("stats", with: new)
                #expect(stats.output.contains("Coverage: 100.0%") && stats.output.contains("of new: 5 (41.7%)"))
                let rest = try library.run("generate", "--all-users", with: new)
                #expect(rest.errors.contains("answers come from new from now on (12 images)"), "\(rest.errors)")
                #expect(rest.output.contains("Written into the bot's database: 12"))
                #expect(!rest.errors.contains("backup"))
                let after = try answer(library, with: new)
                #expect(after.model == "new" && after.similar.count == 5 && after != before)
                #expect(try library.bot.embeddings().values.allSatisfy { $0.label == "new" })
                #expect(try library.run("verify").status == 0)
                #expect(try library.json("stats")["model"] as? String == "new")
            }
        }

        @Test("person by person is made for everybody when the last one is done")
        func personByPerson() throws {
            try withModels { library in
                try library.bot.addUser(id: 2, telegramID: 1002)
                try library.bot.addChat(id: 2, telegramID: 1002, owner: 2)
                try library.bot.execute("UPDATE images SET chat_id = 2 WHERE id > 6")
                try generate(library)
                let first = try library.run("generate", "--user-id", "1001", with: new)
                #expect(first.errors.contains("Answers still come from clip-ViT-B-32"), "\(first.errors)")
                let second = try library.run("generate", "--user-id", "1002", with: new)
                #expect(second.errors.contains("answers come from new from now on"), "\(second.errors)")
                #expect(try library.bot.embeddings().values.allSatisfy { $0.label == "new" })
            }
        }

        @Test("can be made early, taken back, and cleared away by hand")
        func byHand() throws {
            try withModels { library in
                try generate(library)
                let (rows, before) = (try library.bot.embeddings(), try answer(library))
                #expect(try library.run("space", "rollback").status == 64)
                #expect(try library.run("space", "activate", "new").status == 64)
                try generate(library, "--limit", "5", with: new)
                #expect(try library.run("space", "activate", "new").output.contains("5 images written"))
                #expect(try answer(library).model == "new" && answer(library).similar.count == 4)
                #expect(try library.run("space", "rollback").status == 0)
                #expect(try library.bot.embeddings() == rows && answer(library) == before)
                let refused = try library.run("space", "purge", Library.model)
                #expect(refused.status == 64 && refused.errors.contains("is the active one"), "\(refused.errors)")
                #expect(
                    try library.run("space", "purge", "2").output.contains("Removed the 5 vectors of space 2, new.")
                )
                #expect(try library.vectorCount() == 12 && answer(library) == before)
                let list = try library.run("space", "list").output
                #expect(list.contains("1  active: clip-ViT-B-32, float32, 512 dimensions, 12 vectors"), "\(list)")
                #expect(list.contains("2  empty: new"))
                #expect(try library.run("space", "rollback").status == 64)
            }
        }

        @Test("waits for what the model fails on, but not for pictures that nobody can embed")
        func unembeddable() throws {
            try withModels { library in
                try library.write(Array("no picture".utf8), "data/img/3.jpg")
                try library.bot.execute("UPDATE images SET compressed_path = 'gone.jpg' WHERE id = 4")
                #expect(try library.run("generate", "--all-users").status == 1)
                let run = try library.run("generate", "--all-users", with: new)
                #expect(run.status == 1 && run.errors.contains("answers come from new"), "\(run.errors)")
                #expect(try answer(library).model == "new")
                try library.vectorsExecute("UPDATE spaces SET activation = 0 WHERE id = 2")
                try library.vectorsExecute("UPDATE failures SET class = 'model' WHERE space_id = 2 AND image_id = 3")
                let still = try library.run("generate", "--all-users", with: new)
                #expect(still.errors.contains("Answers still come from clip-ViT-B-32"), "\(still.errors)")
            }
        }

        @Test("makes a backup before it writes over what somebody else put into the bot's rows meanwhile")
        func overwrites() throws {
            try withModels { library in
                try generate(library)
                try generate(library, "--limit", "11", with: new)
                let fake = Data(try Fixtures.fakeBlob())
                try library.bot.execute("UPDATE images SET embedding = ? WHERE id = 7", [fake])
                let run = try library.run("generate", "--all-users", with: new)
                #expect(run.status == 0 && run.errors.contains("backup-"), "\(run.errors)")
                #expect(try library.bot.embeddings().values.allSatisfy { $0.label == "new" && $0.blob?.count == 2052 })
            }
        }

        @Test("goes on under constant queries: none fails, and each comes whole from one of the two")
        func underQueries() throws {
            try withModels(60) { library in
                try generate(library)
                var expected = [Library.model: try answer(library)]
                try generate(library, with: new)
                expected["new"] = try answer(library)
                #expect(try library.run("space", "rollback").status == 0)
                #expect(try library.run("space", "purge", "new").status == 0)
                var seen: [String: Int] = [:]
                for model in ["new", Library.model] {
                    let run = try library.start(["generate", "--all-users"], with: ["EMBEDDING_MODEL": model])
                    var isOver = false
                    while !isOver {
                        isOver = !run.isRunning
                        let found = try answer(library)
                        #expect(found == expected[found.model], "\(found)")
                        seen[found.model, default: 0] += 1
                    }
                    #expect(try run.wait().status == 0)
                    #expect(try answer(library).model == model)
                }
                #expect(seen.count == 2)
            }
        }

        @Test("that is killed at any point leaves one of the two whole and active, and is finished by the next run")
        func killed() throws {
            try withModels(10) { library in
                try generate(library)
                let before = try answer(library)
                try generate(library, with: new)
                let after = try answer(library)
                let rows = try library.bot.embeddings()
                #expect(try library.run("space", "rollback").status == 0)
                #expect(try library.run("space", "purge", "new").status == 0)
                try library.bot.close()
                let start = try library.snapshot()
                let calls = "pwrite64,fdatasync,fsync,ftruncate,unlink"
                var (points, states) = (0, Set<String>())
                for when in stride(from: 1, through: 1000, by: Self.step) {
                    try library.restore(start)
                    let kill = "inject=\(calls):signal=SIGKILL:when=\(when)"
                    let strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=\(calls)", "-e", kill]
                    let run = try library.startTool(
                        ["EMBEDDING_MODEL=new"] + strace
                            + [Program.semblance.string, "generate", "--all-users", "--batch-size", "1"]
                    ).wait()
                    #expect([0, 137].contains(run.status), "\(run.errors)")
                    points += 1
                    // The bot, which keeps running, puts right what was begun in its own database.
                    try DatabaseQueue(path: library.database.string).close()
                    let found = try answer(library)
                    #expect(found == before || found == after, "point \(when): \(found)")
                    states.insert(found.model)
                    if when % 5 == 1 || found == after {
                        try generate(library, with: new)
                        #expect(try answer(library) == after)
                        #expect(try BotReader(library.database).embeddings() == rows)
                        #expect(try library.integrity() == ["ok", "ok"])
                    }
                    if run.status == 0 { break }
                }
                print("a change of the model was killed at \(points) points")
                #expect(states == [Library.model, "new"] && points >= 100)
            }
        }

        /// Every so many-th system call; 1 in `make crashes`.
        private static let step = ProcessInfo.processInfo.environment["SEMBLANCE_CRASH_POINTS"] == nil ? 5 : 1
    }
}
