import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The similar command")
    struct SimilarTests {
        private struct Answer: Decodable {
            struct Hit: Decodable {
                let image_id: Int64
                let similarity: Double
                let path: String?
                let chat_id: Int64?
            }
            let model: String
            let similar: [Hit]
        }

        private func answer(_ library: Library, _ arguments: String..., status: Int32 = 0) throws -> Answer {
            let outcome = try library.start(["similar"] + arguments + ["--json"]).wait()
            #expect(outcome.status == status, "\(outcome.errors)")
            return try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
        }

        /// Twelve pictures of two people; picture 12 has the bytes of picture 1, and belongs to the other.
        private func withPictures(_ body: (Library) throws -> Void) throws {
            try withLibrary { library in
                try library.bot.addUser(id: 2, telegramID: 1002)
                try library.bot.addChat(id: 2, telegramID: -77, owner: 1002, type: "group")
                try library.addPictures(1...10)
                for (id, picture) in [(11, 11), (12, 1)] {
                    try library.write(JPEGWriter.picture(picture), "data/img/\(id).jpg")
                    try library.bot.addImage(id: Int64(id), chat: 2, compressed: "data/img/\(id).jpg")
                }
                #expect(try library.run("generate", "--all-users").status == 0)
                try body(library)
            }
        }

        @Test("finds images of the image's owner by id, without the engine, and changes nothing")
        func byID() throws {
            try withPictures { library in
                let before = try library.snapshot()
                let own = try answer(library, "1", "--threshold", "-1", "--limit", "100")
                #expect(own.model == Library.model && Set(own.similar.map(\.image_id)) == Set(2...10))
                #expect(own.similar.map(\.similarity) == own.similar.map(\.similarity).sorted(by: >))
                let everybody = try answer(library, "1", "--scope", "all", "--threshold", "0.9999")
                #expect(everybody.similar.map(\.image_id) == [12] && everybody.similar[0].chat_id == -77)
                #expect(everybody.similar[0].similarity == 1 && everybody.similar[0].path == "data/img/12.jpg")
                let chat = try answer(library, "11", "--scope", "chat", "--threshold", "-1")
                #expect(chat.similar.map(\.image_id) == [12])
                let elsewhere = ["SEMBLANCE_MODELS": "/nowhere", "SEMBLANCE_ONNXRUNTIME": "/nowhere"]
                let outcome = try library.run("similar", "1", with: elsewhere)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try library.snapshot() == before)
            }
        }

        @Test("finds images like a file, and forgets deleted ones at once")
        func byFile() throws {
            try withPictures { library in
                try library.write(JPEGWriter.picture(1), "query.jpg")
                let found = try answer(library, "query.jpg", "--threshold", "0.9999")
                #expect(found.similar.map(\.image_id) == [1, 12])
                let mine = try answer(library, "query.jpg", "--threshold", "0.9999", "--user-id", "1002")
                #expect(mine.similar.map(\.image_id) == [12])
                try library.bot.execute("DELETE FROM images WHERE id = 1")
                let rest = try answer(library, "query.jpg", "--threshold", "0.9999")
                #expect(rest.similar.map(\.image_id) == [12])
            }
        }

        @Test("says what is wrong: unknown images, files and users, other people's images, no embedding, other weights")
        func refusals() throws {
            try withPictures { library in
                try library.write(JPEGWriter.picture(1), "query.jpg")
                try library.write(Array("no picture".utf8), "bad.jpg")
                try library.addPictures(20...20)
                let cases: [([String], Int32, String)] = [
                    (["99"], 66, "no image 99"), (["none.jpg"], 66, "none.jpg"), (["bad.jpg"], 65, "bad.jpg"),
                    (["1", "--user-id", "1002"], 66, "has no image 1"), (["20"], 69, "semblance generate"),
                    (["query.jpg", "--user-id", "5"], 64, "No user"), (["1", "--limit", "0"], 64, "--limit"),
                    (["1", "--threshold", "2"], 64, "--threshold"), (["query.jpg", "--scope", "chat"], 64, "chat"),
                ]
                for (arguments, status, words) in cases {
                    let outcome = try library.start(["similar"] + arguments).wait()
                    #expect(
                        outcome.status == status && outcome.errors.contains(words),
                        "\(arguments) \(outcome.errors)"
                    )
                }
                let nothing = try library.run("similar", "1", "--threshold", "1")
                #expect(nothing.status == 0 && nothing.output.contains("No similar images found"))
            }
        }

        @Test("prints lines of at most 80 columns in which nobody's control characters reach the terminal")
        func lines() throws {
            try withPictures { library in
                let title = String(repeating: "long ", count: 40)
                try library.bot.execute("UPDATE chats SET title = ?", ["\u{1B}[31mred\n\u{202E}" + title])
                let outcome = try library.run("similar", "1", "--scope", "all", "--threshold", "-1")
                #expect(outcome.status == 0 && !outcome.output.contains("\u{1B}"))
                let lines = outcome.output.split(separator: "\n")
                try #require(lines.count == 10)
                #expect(lines.allSatisfy { $0.count <= 80 }, "\(outcome.output)")
                #expect(lines[0].hasPrefix("100.0%  image 12, 20"))
            }
        }
    }
}
