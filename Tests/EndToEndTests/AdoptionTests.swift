import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Vectors that another program computed")
    struct AdoptionTests {
        /// Twenty pictures whose bot's rows hold what the model says, scaled, as a program would leave it that does not
        /// normalise; our database knows nothing.
        private func withForeignVectors(_ body: (Library, [Int64: BotDatabase.StoredEmbedding]) throws -> Void) throws {
            try withLibrary { library in
                try library.addPictures(1...20)
                #expect(try library.run("generate", "--all-users").status == 0)
                let right = try library.bot.embeddings()
                for name in try FileManager.default.contentsOfDirectory(atPath: library.folder.string + "/data")
                where name.hasPrefix("semblance.db") {
                    try FileManager.default.removeItem(atPath: library.folder.string + "/data/" + name)
                }
                try body(library, right)
            }
        }

        private func scaled(_ blob: Data, by factor: Float) -> Data {
            blob.withUnsafeBytes { bytes in
                var data = Data(bytes.prefix(4))
                for offset in stride(from: 4, to: bytes.count, by: 4) {
                    let number = bytes.loadUnaligned(fromByteOffset: offset, as: Float.self) * factor
                    withUnsafeBytes(of: number) { data += $0 }
                }
                return data
            }
        }

        @Test("are taken over where a sample agrees, scaled to unit length, and searched from then on")
        func agreeing() throws {
            try withForeignVectors { library, right in
                for (id, stored) in right {
                    let blob = scaled(try #require(stored.blob), by: 7)
                    try library.bot.execute("UPDATE images SET embedding = ? WHERE id = ?", [blob, id])
                }
                let run = try library.json("generate", "--all-users")
                #expect(run["adopted"] as? Int == 20 && run["replaced"] as? Int == 0)
                for (id, stored) in try library.bot.embeddings() {
                    let (one, other) = (try #require(stored.blob), try #require(right[id]?.blob))
                    #expect(one.count == 2052 && zip(one.floats, other.floats).allSatisfy { abs($0 - $1) < 1e-6 })
                }
                #expect(try library.run("verify", "--sample", "20").status == 0)
                #expect(try library.json("stats")["coverage_percentage"] as? Double == 100)
            }
        }

        @Test("are all replaced, after a backup, where one of the sample does not agree")
        func disagreeing() throws {
            try withForeignVectors { library, right in
                try library.bot.execute(
                    "UPDATE images SET embedding = (SELECT embedding FROM images WHERE id = 1) WHERE id = 9"
                )
                let outcome = try library.run("generate", "--all-users")
                #expect(
                    outcome.output.hasPrefix("Embedded: 0\nReplaced: 20\n") && outcome.errors.contains("do not agree")
                )
                #expect(outcome.errors.contains("backup-"))
                #expect(try library.bot.embeddings() == right)
            }
        }

        @Test("are replaced where they bear no name, another name, or another dimension than the model's")
        func unnamed() throws {
            try withForeignVectors { library, right in
                try library.bot.execute("UPDATE images SET embedding_model = NULL WHERE id <= 10")
                try library.bot.execute("UPDATE images SET embedding_model = 'other' WHERE id > 10")
                let run = try library.json("generate", "--all-users")
                #expect(run["adopted"] as? Int == 0 && run["replaced"] as? Int == 20)
                #expect(try library.bot.embeddings() == right)
            }
        }

        @Test("that were written over ours are not trusted, and keep nothing else from being taken over")
        func overOurs() throws {
            try withLibrary { library in
                try library.addPictures(1...20)
                try library.run("generate", "--all-users")
                let right = try library.bot.embeddings()
                let copy = "UPDATE images SET embedding = (SELECT embedding FROM images WHERE id = 1) WHERE id = 2"
                try library.bot.execute(copy)
                try library.vectorsExecute("DELETE FROM vectors WHERE image_id > 2")
                let run = try library.json("generate", "--all-users")
                #expect(run["adopted"] as? Int == 18 && run["replaced"] as? Int == 1)
                #expect(try library.bot.embeddings() == right)
            }
        }
    }
}

extension Data {
    /// The numbers of a vector's blob.
    fileprivate var floats: [Float] {
        withUnsafeBytes { bytes in
            stride(from: 4, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
        }
    }
}
