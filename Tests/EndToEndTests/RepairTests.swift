import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A repair")
    struct RepairTests {
        private func withEmbedded(_ count: Int64, _ body: (Library) throws -> Void) throws {
            try withLibrary { library in
                try library.addPictures(1...count)
                #expect(try library.run("generate", "--all-users").status == 0)
                try body(library)
            }
        }

        @Test("does what can be proven, leaves the rest to generate, and then everything is as it was")
        func proven() throws {
            try withEmbedded(40) { library in
                let right = try library.bot.embeddings()
                let bot = library.bot
                try bot.execute("DELETE FROM images WHERE id = 1")
                try bot.execute("UPDATE images SET embedding = NULL, embedding_model = NULL WHERE id = 2")
                try bot.execute("UPDATE images SET embedding = x'01020304' WHERE id = 3")
                try bot.execute("UPDATE images SET embedding = ? WHERE id = 4", [Data(try Fixtures.fakeBlob())])
                try bot.execute("UPDATE images SET embedding_model = 'other' WHERE id = 5")
                try bot.execute(
                    "UPDATE images SET embedding = (SELECT embedding FROM images WHERE id = 9) WHERE id = 6"
                )
                try library.vectorsExecute("UPDATE vectors SET blob = zeroblob(2052) WHERE image_id = 7")
                try library.vectorsExecute("UPDATE vectors SET blob_digest = zeroblob(32) WHERE image_id = 8")
                try library.write(JPEGWriter.picture(99), "data/img/9.jpg")
                try library.vectorsExecute("DELETE FROM index_1_rowids WHERE rowid % 7 = 0")
                let outcome = try library.run("verify", "--repair", "--sample", "100")
                #expect(outcome.status == 65, "\(outcome.errors)")
                #expect(
                    outcome.errors.contains(
                        "Repaired: 3 vectors removed, 4 written into the bot's database, 1 taken back from it, the index made anew."
                    ),
                    "\(outcome.output)\(outcome.errors)"
                )
                let left = try bot.embeddings()
                for id: Int64 in [2, 3, 4, 5, 7, 8, 9] { #expect(left[id] == right[id], "image \(id)") }
                #expect(left[6]?.blob == right[9]?.blob)
                #expect(try library.vectorCount() == 37)
                #expect(try library.run("generate", "--all-users", "--no-backup").status == 0)
                #expect(try library.run("verify", "--sample", "100").status == 0)
                #expect(try bot.embeddings().filter { $0.key != 9 } == right.filter { ![1, 9].contains($0.key) })
                #expect(try library.run("verify", "--repair").status == 0)
            }
        }

        @Test("refuses to remove more than a fifth of the vectors unless somebody says yes")
        func drastic() throws {
            try withEmbedded(10) { library in
                try library.bot.execute("DELETE FROM images WHERE id <= 3")
                let before = try library.snapshot()
                let refused = try library.run("verify", "--repair")
                #expect(
                    refused.status == 65 && refused.errors.contains("3 vectors would be removed"),
                    "\(refused.errors)"
                )
                #expect(
                    try library.snapshot().filter { !$0.key.hasSuffix(".lock") }
                        == before.filter { !$0.key.hasSuffix(".lock") }
                )
                #expect(try library.run("verify", "--yes").status == 64)
                #expect(try library.run("verify", "--repair", "--yes").status == 0)
                #expect(try library.vectorCount() == 7)
                #expect(try library.run("verify").status == 0)
            }
        }
    }

    @Suite("The index")
    struct IndexTests {
        private struct Answer: Decodable, Equatable {
            struct Hit: Decodable, Equatable {
                let image_id: Int64
                let similarity: Double
            }
            let similar: [Hit]
        }

        private func answer(_ library: Library, index: Bool = true) throws -> Answer {
            let arguments = ["similar", "1", "--json", "--threshold", "-1", "--limit", "10"]
            let none = ["SEMBLANCE_SQLITE_VEC": library.folder.appending("none.so").string]
            let outcome = try library.start(arguments, with: index ? [:] : none).wait()
            #expect(outcome.status == 0 && outcome.errors.contains("No index") == !index, "\(outcome.errors)")
            return try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
        }

        @Test("that lost rows, or cannot be loaded at all, costs no hit; reindex makes it whole while searches go on")
        func rebuilt() throws {
            try withLibrary { library in
                try library.addPictures(1...200)
                #expect(try library.run("generate", "--all-users").status == 0)
                let right = try answer(library)
                #expect(try right.similar.count == 10 && answer(library, index: false) == right)
                let nearest = try #require(right.similar.first).image_id
                try library.vectorsExecute(
                    "DELETE FROM index_1_rowids WHERE rowid IN (SELECT id FROM vectors WHERE image_id = ?)",
                    [nearest]
                )
                #expect(try answer(library) == right)
                let reindex = try library.start(["reindex"])
                while reindex.isRunning { #expect(try answer(library) == right) }
                let outcome = try reindex.wait()
                #expect(outcome.status == 0 && outcome.output.contains("The index of 200 images is whole."))
                #expect(try answer(library) == right && library.run("verify").status == 0)
                let none = ["SEMBLANCE_SQLITE_VEC": "/nowhere/vec0.so"]
                let without = try library.run("reindex", with: none)
                #expect(without.status == 69 && without.errors.contains("cannot be loaded"), "\(without.errors)")
            }
        }
    }

    @Suite("The backup command")
    struct BackupCommandTests {
        @Test("copies both databases while the bot writes, and never writes over a file", arguments: ["DELETE", "WAL"])
        func copies(mode: String) throws {
            try withLibrary(journalMode: mode) { library in
                try library.addPictures(1...30)
                #expect(try library.run("generate", "--all-users").status == 0)
                let bot = try library.startBot("write", library.database.string, "60")
                let outcome = try library.run("backup", "copies.db")
                #expect(outcome.status == 0, "\(outcome.errors)")
                bot.signal(SIGKILL)
                _ = try bot.wait()
                let copy = try DatabaseQueue(path: library.folder.appending("copies.db").string)
                #expect(try copy.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM images WHERE id <= 30") } == 30)
                let ours = try DatabaseQueue(path: library.folder.appending("copies.db.semblance").string)
                #expect(try ours.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM vectors") } == 30)
                let before = try Data(contentsOf: URL(filePath: library.folder.appending("copies.db").string))
                let again = try library.run("backup", "copies.db")
                #expect(again.status == 73 && again.errors.contains("is there already"), "\(again.errors)")
                #expect(try Data(contentsOf: URL(filePath: library.folder.appending("copies.db").string)) == before)
                #expect(try library.run("backup", "nowhere/copies.db").status == 73)
            }
        }
    }
}
