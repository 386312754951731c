import Digests
import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The verify command")
    struct VerifyTests {
        private struct Finding: Decodable, Hashable, Comparable, CustomStringConvertible {
            let image_id: Int64
            let problem: String

            static func < (left: Finding, right: Finding) -> Bool {
                (left.image_id, left.problem) < (right.image_id, right.problem)
            }

            var description: String { "\(image_id) \(problem)" }
        }

        private func findings(_ library: Library, _ arguments: String...) throws -> [String] {
            let outcome = try library.start(["verify", "--json"] + arguments).wait()
            let found = try JSONDecoder().decode([Finding].self, from: Data(outcome.output.utf8))
            #expect(outcome.status == (found.isEmpty ? 0 : 65), "\(outcome.errors)")
            return found.sorted().map(\.description)
        }

        private func withEmbedded(_ count: Int64, _ body: (Library) throws -> Void) throws {
            try withLibrary { library in
                try library.addPictures(1...count)
                #expect(try library.run("generate", "--all-users").status == 0)
                try body(library)
            }
        }

        /// The bytes of a vector of 512 numbers.
        private func blob(dimension: UInt32 = 512, _ number: (Int) -> Float) -> Data {
            var data = withUnsafeBytes(of: dimension.littleEndian) { Data($0) }
            for index in 0..<512 { withUnsafeBytes(of: number(index).bitPattern.littleEndian) { data += $0 } }
            return data
        }

        @Test("finds nothing wrong with what generate left, and changes no byte")
        func clean() throws {
            try withEmbedded(12) { library in
                let before = try library.snapshot()
                #expect(try findings(library).isEmpty)
                #expect(try findings(library, "--sample", "100").isEmpty)
                let outcome = try library.run("verify", "--sample", "5")
                #expect(outcome.output == "Everything is as it should be.\n" && outcome.errors.contains("5 images"))
                #expect(try library.snapshot() == before)
            }
        }

        @Test("names every damaged row of the bot's database, with what is wrong")
        func botRows() throws {
            try withEmbedded(14) { library in
                let random = blob { Float($0 % 97) / 97 }
                let unit = blob { $0 == 0 ? 1 : 0 }
                let statements: [(Int64, String, Data?)] = [
                    (2, "DELETE FROM images WHERE id = 2", nil),
                    (3, "UPDATE images SET file_unique_id = 'new' WHERE id = 3", nil),
                    (4, "UPDATE images SET embedding = x'00' WHERE id = 4", nil),
                    (5, "UPDATE images SET embedding = ? WHERE id = 5", Data(try Fixtures.fakeBlob())),
                    (6, "UPDATE images SET embedding = ? WHERE id = 6", unit),
                    (7, "UPDATE images SET embedding = 'text' WHERE id = 7", nil),
                    (8, "UPDATE images SET embedding = (SELECT embedding FROM images WHERE id = 1) WHERE id = 8", nil),
                    (9, "UPDATE images SET embedding_model = 'other' WHERE id = 9", nil),
                    (10, "UPDATE images SET embedding_model = NULL WHERE id = 10", nil),
                    (11, "UPDATE images SET embedding = NULL WHERE id = 11", nil),
                    (12, "UPDATE images SET embedding = zeroblob(2052) WHERE id = 12", nil),
                    (13, "UPDATE images SET embedding = substr(embedding, 1, 2051) WHERE id = 13", nil),
                ]
                for (_, sql, data) in statements { try library.bot.execute(sql, data.map { [$0] } ?? []) }
                let strangers: [(Int64, Data, String)] = [
                    (40, unit, Library.model), (41, random, Library.model), (42, unit, "other"),
                    (43, Data([1, 2, 3]), Library.model), (44, blob { _ in .nan }, Library.model),
                    (45, blob(dimension: 513) { _ in 0.1 }, Library.model), (46, blob { _ in 0 }, Library.model),
                    (47, blob(dimension: UInt32(512).byteSwapped) { $0 == 0 ? 1 : 0 }, Library.model),
                ]
                for (id, data, label) in strangers {
                    try library.bot.addImage(id: id, compressed: "none", embedding: data, label: label)
                }
                #expect(
                    try findings(library) == [
                        "2 imageGone", "3 imageExchanged", "3 unknownOrigin", "4 overwrittenWorthlessly",
                        "5 overwrittenWorthlessly",
                        "6 overwritten", "7 overwrittenWorthlessly", "8 overwritten", "9 relabelled", "10 relabelled",
                        "11 notPublished", "12 overwrittenWorthlessly", "13 overwrittenWorthlessly", "40 unknownOrigin",
                        "41 madeByNoModel",
                        "42 otherModel", "43 blobDamaged", "44 blobDamaged", "45 blobDamaged", "46 blobDamaged",
                        "47 blobDamaged",
                    ]
                )
                let lines = try library.run("verify").output.split(separator: "\n")
                #expect(
                    lines.count == 22 && lines.contains("image 2: our vector is of an image that the bot has deleted")
                )
            }
        }

        @Test("names every damaged row of our own database")
        func ourRows() throws {
            try withEmbedded(12) { library in
                let constant = blob { _ in 1 / Float(512).squareRoot() }
                let notANumber = blob { $0 == 7 ? .nan : 0.04 }
                try library.vectorsExecute("UPDATE vectors SET blob = substr(blob, 1, 100) WHERE image_id = 1")
                try library.vectorsExecute("UPDATE vectors SET blob = ? WHERE image_id = 2", [notANumber])
                try library.vectorsExecute("UPDATE vectors SET blob = ? WHERE image_id = 3", [blob { _ in 0 }])
                try library.vectorsExecute("UPDATE vectors SET blob = ? WHERE image_id = 4", [constant])
                try library.vectorsExecute("UPDATE vectors SET blob = ? WHERE image_id = 5", [blob { $0 == 0 ? 1 : 0 }])
                try library.vectorsExecute("UPDATE vectors SET blob_digest = zeroblob(32) WHERE image_id = 6")
                try library.vectorsExecute(
                    """
                    UPDATE vectors SET source_digest = zeroblob(32),
                        (blob, blob_digest) = (SELECT blob, blob_digest FROM vectors WHERE image_id = 8)
                    WHERE image_id = 7
                    """
                )
                try library.vectorsExecute("UPDATE vectors SET blob = ? WHERE image_id = 9", [blob { _ in 3 }])
                #expect(
                    try findings(library) == [
                        "1 indexDiffers", "1 ourVectorDamaged", "2 indexDiffers", "2 ourVectorDamaged",
                        "3 indexDiffers",
                        "3 ourVectorDamaged", "4 indexDiffers", "4 ourDigestWrong", "4 ourVectorConstant",
                        "5 indexDiffers", "5 ourDigestWrong", "6 ourDigestWrong", "6 overwritten", "7 indexDiffers",
                        "7 overwritten", "7 sameAsOther", "8 sameAsOther", "9 indexDiffers", "9 ourVectorDamaged",
                    ]
                )
            }
        }

        @Test("names what the index lacks, has too much of, and has wrong")
        func index() throws {
            try withEmbedded(5) { library in
                try library.vectorsExecute(
                    "DELETE FROM index_1_rowids WHERE rowid = (SELECT id FROM vectors WHERE image_id = 2)"
                )
                let lacking = try findings(library)
                #expect(lacking == ["2 notInIndex"], "\(lacking)")
                try library.vectorsExecute("UPDATE index_1_vector_chunks00 SET vectors = zeroblob(length(vectors))")
                #expect(
                    try findings(library) == [
                        "1 indexDiffers", "2 notInIndex", "3 indexDiffers", "4 indexDiffers", "5 indexDiffers",
                    ]
                )
                let row = try library.vectorCount("SELECT id FROM vectors WHERE image_id = 4")
                try library.vectorsExecute("DELETE FROM vectors WHERE image_id = 4")
                #expect(try findings(library).contains("\(row) indexOrphan"))
            }
        }

        @Test("computes vectors anew and names those that differ, and files that were exchanged")
        func sample() throws {
            try withEmbedded(6) { library in
                try library.write(JPEGWriter.picture(99), "data/img/2.jpg")
                let vector = blob { $0 == 0 ? 1 : 0 }
                try library.bot.execute("UPDATE images SET embedding = ? WHERE id = 5", [vector])
                try library.vectorsExecute(
                    "UPDATE vectors SET blob = ?, blob_digest = ? WHERE image_id = 5",
                    [vector, Data(SHA256Digest(of: Array(vector)).bytes)]
                )
                let found = try findings(library, "--sample", "6")
                #expect(found == ["2 fileChanged", "5 indexDiffers", "5 recomputedDiffers"])
                try library.useModel(Fixtures.models.appending("tiny-clip-gelu"))
                let other = try library.run("verify", "--sample", "3")
                #expect(other.status == 69 && other.errors.contains("other weights"))
            }
        }
    }
}
