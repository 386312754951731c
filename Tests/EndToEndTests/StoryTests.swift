import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A bot's database full of lies")
    struct StoryTests {
        /// Fourteen completed images of every kind that is found in the field, and two that are not completed.
        private func fill(_ library: Library) throws {
            let bot = library.bot
            try bot.addUser(id: 2, telegramID: 1002)
            try bot.addChat(id: 2, telegramID: -100, owner: 1001, type: "group")
            try bot.addChat(id: 3, telegramID: 1002, owner: 2)
            for id in [1, 6, 7, 10, 11, 12, 13, 14, 15] {
                try library.write(JPEGWriter.picture(id), "data/img/\(id).jpg")
            }
            try library.write(JPEGWriter.picture(2), "data/img/2_original.jpg")
            try library.write(Array(JPEGWriter.picture(4).prefix(900)), "data/img/4.jpg")
            try library.write(Array("<html>not found</html>".utf8), "data/img/5.jpg")
            let fake = Data(try Fixtures.fakeBlob())
            let vector = Data([0, 2, 0, 0] + [UInt8](repeating: 0, count: 2044) + [0, 0, 0x80, 0xBF])
            let clip = Library.model
            try bot.addImage(id: 1, compressed: "data/img/1.jpg", embedding: fake, label: clip)
            try bot.addImage(id: 2, original: "data/img/2_original.jpg", compressed: "data/img/2.jpg")
            try bot.addImage(id: 3, original: "data/img/3.jpg", compressed: "data/img/3_processed.jpg")
            try bot.addImage(id: 4, chat: 2, compressed: "data/img/4.jpg")
            try bot.addImage(id: 5, chat: 2, compressed: "data/img/5.jpg")
            try bot.addImage(id: 6, chat: 2, compressed: "data/img/6.jpg")
            try bot.addImage(id: 7, chat: 3, compressed: "data/img/7.jpg")
            try bot.addImage(id: 8, chat: 3, compressed: "data/img/7.jpg", status: "pending")
            try bot.addImage(id: 9, chat: 3, compressed: "data/img/7.jpg", status: "Completed")
            try bot.addImage(id: 10, chat: 3, compressed: "data/img/10.jpg", embedding: fake)
            try bot.addImage(id: 11, chat: 3, compressed: "data/img/11.jpg", embedding: "[0.1, 0.2]", label: clip)
            try bot.addImage(id: 12, chat: 3, compressed: "data/img/12.jpg", embedding: vector.dropLast(), label: clip)
            try bot.addImage(id: 13, chat: 3, compressed: "data/img/13.jpg", embedding: vector, label: "clip-ViT-L-14")
            try bot.addImage(id: 14, chat: 3, compressed: "data/img/14.jpg", embedding: vector, label: clip)
            try bot.addImage(id: 15, chat: 99, compressed: "data/img/15.jpg")
            try bot.addImage(id: 16, chat: 1, compressed: "data/img")
            try bot.execute("UPDATE images SET created_at = NULL WHERE 0")
            try bot.execute("UPDATE images SET created_at = '2999-01-01' WHERE id % 2")
            try bot.execute("INSERT INTO embedding_mappings (image_id, embedding_id) VALUES (777, 1)")
        }

        @Test(
            "is told exactly, embedded as far as it can be, and left alone the second time",
            arguments: ["DELETE", "WAL"]
        )
        func story(mode: String) throws {
            try withLibrary(journalMode: mode) { library in
                try fill(library)
                let before = try library.run("stats")
                #expect(before.status == 0)
                #expect(
                    before.output == """
                        📊 Embedding Statistics
                        ========================================
                        Scope: All users
                        Total completed images: 14
                        Images with embeddings: 0
                        Images without embeddings: 14
                        Coverage: 0.0%
                        Stale embeddings: 6 (damaged 2, made by no model 2, of unknown origin 1, other model 1)
                        Unreachable files: 2
                        Could ever be embedded: 85.7%
                        Of nobody known, counted above: 1
                        Not completed by the bot, not counted above: 2

                        Run semblance generate --all-users to embed 12 images.

                        """
                )

                let dryRun = try library.json("generate", "--all-users", "--dry-run")
                #expect(dryRun["to_embed"] as? Int == 8)
                #expect(
                    dryRun["to_replace"] as? [String: Int] == [
                        "damaged": 2, "made_by_no_model": 2, "of_unknown_origin": 1, "other_model": 1,
                    ]
                )
                #expect(dryRun["unusable"] as? [String: Int] == ["missing": 1, "unreadable": 1, "unsupported": 1])

                let generate = try library.run("generate", "--all-users", "--batch-size", "3")
                #expect(generate.status == 1, "\(generate.errors)")
                let lines = generate.output.split(separator: "\n").map(String.init)
                #expect(
                    lines.prefix(3) == [
                        "Embedded: 4", "Replaced: 6", "Failed: 4 (corrupt 1, missing 1, unreadable 1, unsupported 1)",
                    ]
                )
                #expect(lines.last == "Coverage: 71.4%")
                #expect(generate.errors.contains("14/14 images"))
                #expect(generate.errors.contains("telegram_agent.db.backup-"))

                let after = try library.json("stats")
                #expect(after["with_embeddings"] as? Int == 10 && after["without_embeddings"] as? Int == 4)
                #expect(after["failed"] as? [String: Int] == ["corrupt": 1, "unsupported": 1])
                #expect(after["unreachable"] as? Int == 2 && after["embeddable_percentage"] as? Double == 71.4)
                #expect(after["stale"] as? [String: Int] == [:])

                let stored = try library.bot.embeddings()
                for id: Int64 in [1, 2, 6, 7, 10, 11, 12, 13, 14, 15] {
                    #expect(stored[id]?.blob?.count == 2052 && stored[id]?.label == Library.model)
                    #expect(stored[id]?.blob?.prefix(4) == Data([0, 2, 0, 0]))
                }
                for id: Int64 in [3, 4, 5, 8, 9, 16] { #expect(stored[id]?.blob == nil && stored[id]?.label == nil) }
                #expect(try library.bot.value("PRAGMA journal_mode") == mode.lowercased())
                #expect(try library.bot.value("SELECT image_id FROM embedding_mappings") == 777)

                let snapshot = try library.bot.embeddings()
                let second = try library.run("generate", "--all-users")
                #expect(second.status == 0)
                #expect(
                    second.output == """
                        Nothing to do: 10 images of 14 have an embedding.
                        Skipped, failed before: 4 (corrupt 1, missing 1, unreadable 1, unsupported 1)
                        Coverage: 71.4%

                        """
                )
                #expect(try library.bot.embeddings() == snapshot)
            }
        }

        @Test("is told for one person by both kinds of id")
        func onePerson() throws {
            try withLibrary { library in
                try fill(library)
                let first = try library.run("stats", "--user-id", "1001")
                #expect(first.output.contains("User ID: 1001\nTotal completed images: 7\n"))
                #expect(first.output.contains("Run semblance generate --user-id 1001 to embed 5 images."))
                let run = try library.run("generate", "--user-id", "1001")
                #expect(run.output.hasPrefix("Embedded: 2\nReplaced: 1\n"), "\(run.output)\(run.errors)")
                #expect(
                    try library.bot.value(
                        "SELECT count(*) FROM images WHERE length(embedding) = 2052 AND id IN (1, 2, 6)"
                    ) == 3
                )
                let unknown = try library.run("stats", "--user-id", "5")
                #expect(unknown.status == 64)
                #expect(unknown.errors.contains("No user with the Telegram id 5"))
            }
        }

        @Test("without images, or with a user who has none, gets a sentence and no division by zero")
        func empty() throws {
            try withLibrary { library in
                let all = try library.run("stats")
                #expect(all.status == 0 && all.output.contains("Coverage: 0.0%"))
                #expect(all.output.contains("The database holds no completed images"))
                #expect(
                    try library.run("stats", "--user-id", "1001").output.contains("This user has no completed images.")
                )
                let run = try library.run("generate", "--all-users")
                #expect(run.status == 0 && run.output.contains("Nothing to do: there are no completed images."))
            }
        }

        @Test("whose failures are tried again when a file changes, comes back, or the user asks")
        func retries() throws {
            try withLibrary { library in
                try fill(library)
                #expect(try library.run("generate", "--all-users").status == 1)
                try library.write(JPEGWriter.picture(3), "data/img/3.jpg")
                try library.write(JPEGWriter.picture(4), "data/img/4.jpg")
                let changed = try library.run("generate", "--all-users")
                #expect(changed.status == 0 && changed.output.hasPrefix("Embedded: 2\n"), "\(changed.output)")
                let retried = try library.run("generate", "--all-users", "--retry-failed")
                #expect(retried.status == 1)
                #expect(retried.output.contains("Failed: 2 (unreadable 1, unsupported 1)"))
                #expect(try library.vectorCount("SELECT max(attempts) FROM failures WHERE image_id = 5") == 2)
            }
        }

        @Test("that the bot writes over later is noticed and mended")
        func overwritten() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                try library.run("generate", "--all-users")
                let vectors = try library.bot.embeddings()
                let fake = Data(try Fixtures.fakeBlob())
                try library.bot.execute("UPDATE images SET embedding = ? WHERE id = 2", [fake])
                #expect(try library.json("stats")["stale"] as? [String: Int] == ["made_by_no_model": 1])
                #expect(try library.run("generate", "--all-users").output.contains("Replaced: 1"))
                #expect(try library.bot.embeddings() == vectors)
            }
        }

        @Test("is embedded in steps with --limit")
        func limit() throws {
            try withLibrary { library in
                try library.addPictures(1...7)
                let first = try library.run("generate", "--all-users", "--limit", "3")
                #expect(
                    first.status == 0 && first.output.hasPrefix("Embedded: 3\n") && first.errors.contains("3/3 images")
                )
                #expect(try library.json("stats")["with_embeddings"] as? Int == 3)
                try library.run("generate", "--all-users", "--limit", "100")
                #expect(try library.json("stats")["with_embeddings"] as? Int == 7)
            }
        }

        @Test("keeps with each vector what it was made from, so that a changed file can be told")
        func provenance() throws {
            try withLibrary { library in
                try library.addPictures(1...2)
                try library.run("generate", "--all-users")
                let digests = try DatabaseQueue.patient(library.vectors).inDatabase {
                    try Data.fetchAll($0, sql: "SELECT source_digest FROM vectors ORDER BY image_id")
                }
                let tool = try library.startTool(["sha256sum", "data/img/1.jpg", "data/img/2.jpg"]).wait()
                let expected = tool.output.split(separator: "\n").map { $0.prefix(64) }
                #expect(digests.map { $0.map { String(format: "%02x", $0) }.joined() } == expected.map(String.init))
            }
        }

        @Test("gets all its vectors anew when the model's weights change, and no mixture of both")
        func otherWeights() throws {
            try withLibrary { library in
                try library.addPictures(1...5)
                try library.run("generate", "--all-users")
                let old = try library.bot.embeddings()
                try library.useModel(Fixtures.models.appending("tiny-clip-gelu"))
                let run = try library.run("generate", "--all-users", "--no-backup")
                #expect(
                    run.status == 0 && run.output.contains("Embedded: 0\nReplaced: 5"),
                    "\(run.output)\(run.errors)"
                )
                #expect(run.output.contains("Written into the bot's database: 5") && run.errors.contains("rollback"))
                let new = try library.bot.embeddings()
                for id in old.keys { #expect(old[id]?.blob != new[id]?.blob) }
                #expect(try library.json("stats")["with_embeddings"] as? Int == 5)
                #expect(try !library.snapshot().keys.contains { $0.contains("backup") })
            }
        }

        @Test("keeps to the weights that a run began with, though another file takes their name meanwhile")
        func weightsExchanged() throws {
            var expected: [Int64: BotDatabase.StoredEmbedding] = [:]
            try withLibrary { library in
                try library.addPictures(1...300)
                try library.run("generate", "--all-users")
                expected = try library.bot.embeddings()
            }
            try withLibrary { library in
                try library.addPictures(1...300)
                let run = try library.start(["generate", "--all-users", "--batch-size", "2"])
                try waitUntil { run.errorsSoFar.contains("/300 images") }
                try library.useModel(Fixtures.models.appending("tiny-clip-gelu"))
                #expect(try run.wait().status == 0)
                #expect(try library.bot.embeddings() == expected)
            }
        }

        @Test("is computed again where our own database was deleted")
        func rebuilt() throws {
            try withLibrary { library in
                try library.addPictures(1...5)
                try library.run("generate", "--all-users")
                let vectors = try library.bot.embeddings()
                try FileManager.default.removeItem(atPath: library.vectors.string)
                #expect(try library.json("stats")["stale"] as? [String: Int] == ["of_unknown_origin": 5])
                let run = try library.run("generate", "--all-users")
                #expect(run.output.contains("Taken over: 5") && run.errors.contains("5 computed anew"), "\(run.errors)")
                #expect(try library.bot.embeddings() == vectors)
            }
        }

        @Test("loses nothing where our own database is deleted while a run fills it")
        func deletedMeanwhile() throws {
            try withLibrary { library in
                try library.addPictures(1...300)
                let run = try library.start(["generate", "--all-users", "--batch-size", "2"])
                try waitUntil { run.errorsSoFar.contains("/300 images") }
                try FileManager.default.removeItem(atPath: library.vectors.string)
                _ = try run.wait()
                #expect(try library.run("generate", "--all-users").status == 0)
                #expect(try library.json("stats")["with_embeddings"] as? Int == 300)
                #expect(try library.run("verify", "--sample", "20").status == 0 && library.integrity() == ["ok", "ok"])
            }
        }

        @Test("whose files vanish while the run goes on costs those images alone")
        func vanishing() throws {
            try withLibrary { library in
                try library.addPictures(1...300)
                let run = try library.start(["generate", "--all-users"])
                for id in stride(from: 300, to: 1, by: -3) { unlink(library.folder.string + "/data/img/\(id).jpg") }
                let outcome = try run.wait()
                #expect([0, 1].contains(outcome.status))
                let stats = try library.json("stats")
                let embedded = try #require(stats["with_embeddings"] as? Int)
                let unreachable = try #require(stats["unreachable"] as? Int)
                #expect(embedded >= 200 && embedded + unreachable == 300)
            }
        }
    }
}
