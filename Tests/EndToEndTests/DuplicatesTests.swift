import Foundation
import ImageDecoding
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The duplicates command")
    struct DuplicatesTests {
        private struct Group: Decodable {
            struct Image: Decodable {
                let image_id: Int64
                let bytes: Int
            }
            let kind: String
            let images: [Image]
            let bytes_freed: Int

            var ids: [Int64] { images.map(\.image_id) }
        }

        private func groups(_ library: Library, _ options: String...) throws -> [Group] {
            let outcome = try library.start(["duplicates", "--json"] + options).wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try JSONDecoder().decode([Group].self, from: Data(outcome.output.utf8))
        }

        private func photo(_ number: Int) throws -> [UInt8] {
            let path = Fixtures.pictures.appending("photo_\(number).jpg").string
            return [UInt8](try Data(contentsOf: URL(filePath: path)))
        }

        private func edits(_ file: [UInt8]) throws -> PictureEdits {
            let image = try ImageDecoder.decode(file)
            return PictureEdits(samples: image.samples, width: image.width, height: image.height)
        }

        /// Photographs 1 to 5; 11 and 12 are photograph 1 again; 21 to 24 are photograph 2 re-encoded, resized and cut; 31
        /// is the file of photograph 3 under another image; 41 has the picture of 4 and belongs to somebody else.
        private func withCopies(_ body: (Library) throws -> Void) throws {
            try withLibrary { library in
                let bot = library.bot
                try bot.addUser(id: 2, telegramID: 1002)
                try bot.addChat(id: 2, telegramID: -77, owner: 2)
                let second = try edits(photo(2))
                var files: [(Int64, [UInt8])] = try (1...5).map { (Int64($0), try photo($0)) }
                files += [(11, try photo(1)), (12, try photo(1)), (41, try photo(4))]
                files += [(21, second.recompressed(quality: 40)), (22, second.halved.recompressed(quality: 85))]
                files += [(23, second.cropped(0.02).recompressed(quality: 85)), (24, second.recompressed(quality: 95))]
                for (id, bytes) in files {
                    try library.write(bytes, "data/img/\(id).jpg")
                    try bot.addImage(id: id, chat: id == 41 ? 2 : 1, compressed: "data/img/\(id).jpg")
                }
                try bot.addImage(id: 31, compressed: "data/img/3.jpg")
                #expect(try library.run("generate", "--all-users").status == 0)
                try body(library)
            }
        }

        @Test("keeps files, copies and like subjects apart, the largest groups first, and says what would be freed")
        func kinds() throws {
            try withCopies { library in
                let before = try library.snapshot()
                let all = try groups(library, "--threshold", "-1")
                #expect(all.map(\.kind) == ["identical", "identical", "identical", "copies", "similar"])
                #expect(all[0].ids == [1, 11, 12] && Set(all[1...2].map(\.ids)) == [[3, 31], [4, 41]])
                #expect(all[0].bytes_freed == 2 * all[0].images[0].bytes)
                #expect(all[1...2].first { $0.ids == [3, 31] }?.bytes_freed == 0, "one file frees nothing")
                #expect(all[3].ids == [2, 21, 22, 23, 24])
                let sizes = all[3].images.map(\.bytes)
                #expect(all[3].bytes_freed == sizes.reduce(0, +) - (sizes.max() ?? 0))
                #expect(all[4].ids == [1, 2, 3, 4, 5], "at this threshold all subjects are alike")
                #expect(try library.snapshot() == before)
                let text = try library.run("duplicates", "--kind", "identical", "--kind", "copies").output
                #expect(text.contains("Identical files: 3 groups") && text.contains("Copies of one picture: 1 group"))
                #expect(!text.contains("imilar pictures") && text.split(separator: "\n").allSatisfy { $0.count <= 80 })
            }
        }

        @Test("looks among one person's or one chat's images alone, and not at deleted ones")
        func scopes() throws {
            try withCopies { library in
                let kinds = ["--kind", "identical"]
                let one = try groups(library, "--kind", "identical", "--user-id", "1001")
                #expect(one.map(\.ids) == [[1, 11, 12], [3, 31]])
                #expect(try groups(library, "--kind", "identical", "--chat-id", "-77").isEmpty)
                try library.bot.execute("DELETE FROM images WHERE id IN (11, 12, 31)")
                #expect(try groups(library, "--kind", "identical").map(\.ids) == [[4, 41]])
                for (arguments, words) in [
                    (["--scope", "user"], "--user-id"), (["--user-id", "9"], "No user"),
                    (["--chat-id", "9"], "No chat"),
                    (["--scope", "chat", "--user-id", "1"], "--chat-id"), (["--threshold", "2"], "--threshold"),
                ] {
                    let outcome = try library.start(["duplicates"] + arguments + kinds).wait()
                    #expect(outcome.status == 64 && outcome.errors.contains(words), "\(arguments) \(outcome.errors)")
                }
            }
        }

        @Test("finds no copies among different pictures")
        func differentPictures() throws {
            try withLibrary { library in
                for number in 0...9 {
                    try library.write(try photo(number), "data/img/\(number).jpg")
                    try library.bot.addImage(id: Int64(number + 1), compressed: "data/img/\(number).jpg")
                }
                for number in 1...8 {
                    let flat = [UInt8](repeating: UInt8(number * 30), count: 64 * 64 * 3)
                    let file = JPEGWriter.encode(flat, width: 64, height: 64, quality: 90)
                    try library.write(file, "data/img/flat\(number).jpg")
                    try library.bot.addImage(id: Int64(number + 20), compressed: "data/img/flat\(number).jpg")
                }
                #expect(try library.run("generate", "--all-users").status == 0)
                #expect(try groups(library, "--kind", "identical", "--kind", "copies").isEmpty)
            }
        }

        @Test("of a database of the first version is complete after the next run, which computes nothing anew")
        func older() throws {
            try withCopies { library in
                let rows = try library.bot.embeddings()
                for column in ["source_size", "perceptual_hash"] {
                    try library.vectorsExecute("ALTER TABLE vectors DROP COLUMN \(column)")
                }
                try library.vectorsExecute("DELETE FROM grdb_migrations WHERE identifier LIKE '2 %'")
                #expect(try groups(library, "--kind", "copies").isEmpty)
                try library.write(try photo(6), "data/img/5.jpg")
                let run = try library.json("generate", "--all-users")
                #expect(run["described"] as? Int == 12 && run["embedded"] as? Int == 1)
                #expect(try groups(library, "--kind", "copies").map(\.ids) == [[2, 21, 22, 23, 24]])
                let now = try library.bot.embeddings()
                #expect(now.filter { $0.key != 5 } == rows.filter { $0.key != 5 } && now[5] != rows[5])
            }
        }
    }
}
