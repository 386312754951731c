import Digests
import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The search command")
    struct SearchTests {
        /// The vector of some words by `semblance embed --text`, as the blob that a picture of just them would have.
        private func blob(of words: String, _ library: Library) throws -> Data {
            let command = "echo '\(words)' | \(Program.semblance.string) embed --text --npy words.npy"
            let outcome = try library.startTool(["sh", "-c", command]).wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
            let file = URL(filePath: library.folder.appending("words.npy").string)
            return Data([0, 2, 0, 0]) + (try Data(contentsOf: file)).suffix(2048)
        }

        @Test(
            "finds the picture of the words with its grade, one person's alone if asked, and says where there is none"
        )
        func words() throws {
            try withLibrary { library in
                try library.useTokenizer()
                try library.addPictures(1...20)
                #expect(try library.run("generate", "--all-users").status == 0)
                let blob = try blob(of: "a red bicycle", library)
                let digest = Data(SHA256Digest(of: [UInt8](blob)).bytes)
                try library.vectorsExecute(
                    "UPDATE vectors SET blob = ?, blob_digest = ? WHERE image_id = 7",
                    [blob, digest]
                )
                try library.bot.execute("UPDATE images SET embedding = ? WHERE id = 7", [blob])
                let before = try library.snapshot()
                let found = try library.run("search", "a red bicycle", "--limit", "1")
                // To a model of random weights all words are much alike, so that the grade says little here.
                let grades = ["strong", "likely", "weak"]
                #expect(grades.contains { found.output.hasPrefix("100.0%  \($0), image 7, ") }, "\(found.output)")
                let json = try library.json("search", "a red bicycle", "--user-id", "1001", "--limit", "1")
                let hit = try #require((json["similar"] as? [[String: any Sendable]])?.first)
                #expect(hit["image_id"] as? Int == 7 && grades.contains(hit["grade"] as? String ?? ""))
                #expect(try library.snapshot() == before)
                try library.bot.execute("DELETE FROM images WHERE id = 7")
                let gone = try library.run("search", "a red bicycle", "--limit", "1")
                #expect(!gone.output.contains("image 7"))
            }
        }

        @Test("says what is wrong: no words, a model without a text tower, nothing embedded")
        func refusals() throws {
            try withLibrary { library in
                #expect(try library.run("search", " ").status == 64)
                #expect(try library.run("search", "a cat").status == 69)
                let model = [
                    "SEMBLANCE_MODELS": Fixtures.installedModels.string, "EMBEDDING_MODEL": "efficientnet-lite0",
                ]
                try library.addPictures(1...3)
                #expect(try library.run("generate", "--all-users", with: model).status == 0)
                let outcome = try library.run("search", "a cat", with: model)
                #expect(outcome.status == 69 && outcome.errors.contains("no text tower"), "\(outcome.errors)")
            }
        }
    }
}
