import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The embed command")
    struct EmbedTests {
        private struct Answer: Decodable {
            let file: String?
            let text: String?
            let embedding: [Float]?
            let error: String?
        }

        private func answers(_ output: String) throws -> [Answer] {
            try output.split(separator: "\n").map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        }

        /// Runs the program with lines on its standard input.
        private func run(_ library: Library, _ arguments: String, input: String) throws -> Program.Outcome {
            try library.write(Array(input.utf8), "data/input")
            return try library.startTool(["sh", "-c", "\(Program.semblance) embed \(arguments) < data/input"]).wait()
        }

        @Test("answers in the order of the questions, with an error in the place of what fails, and needs no database")
        func files() throws {
            try withLibrary { library in
                try library.bot.close()
                try FileManager.default.removeItem(atPath: library.database.string)
                for id in 1...20 { try library.write(JPEGWriter.picture(id), "data/img/\(id).jpg") }
                try library.write(Array("no picture".utf8), "data/img/7.jpg")
                let names = (1...20).map { "data/img/\($0).jpg" } + ["data/img/none.jpg"]
                let outcome = try library.start(["embed"] + names).wait()
                #expect(outcome.status == 1, "\(outcome.errors)")
                let answers = try answers(outcome.output)
                #expect(answers.map(\.file) == names)
                for (index, answer) in answers.enumerated() {
                    let fails = index == 6 || index == 20
                    #expect((answer.error != nil) == fails && (answer.embedding?.count == 512) != fails)
                }
                let listed = try run(library, "-", input: names.prefix(6).joined(separator: "\n"))
                #expect(listed.status == 0, "\(listed.errors)")
                #expect(try self.answers(listed.output).map(\.embedding) == answers.prefix(6).map(\.embedding))
            }
        }

        @Test("gives a file the vector that generate stores for it")
        func sameAsGenerate() throws {
            try withLibrary { library in
                try library.addPictures(1...1)
                try library.run("generate", "--all-users")
                let stored = try #require(try library.bot.embeddings()[1]?.blob)
                let printed = try answers(try library.run("embed", "data/img/1.jpg").output)
                let bytes = printed[0].embedding?.flatMap { number in
                    (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt32(8 * $0)) }
                }
                #expect(bytes == Array(stored.dropFirst(4)))
            }
        }

        @Test("writes a NumPy file that NumPy's format describes")
        func npy() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                let names = ["data/img/1.jpg", "data/img/none.jpg", "data/img/3.jpg"]
                let outcome = try library.start(["embed", "--npy", "out.npy"] + names).wait()
                #expect(outcome.status == 1 && outcome.output.isEmpty)
                let bytes = try Fixtures.bytes(of: library.folder.appending("out.npy"))
                #expect(bytes.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]))
                let length = Int(bytes[8]) + Int(bytes[9]) << 8
                #expect((10 + length) % 64 == 0)
                let header = String(decoding: bytes[10..<(10 + length)], as: UTF8.self)
                #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 512), }"))
                #expect(bytes.count == 10 + length + 3 * 512 * 4)
            }
        }

        @Test("says that a model without words has none, and refuses a picture and a text at once")
        func texts() throws {
            try withLibrary { library in
                let without = try run(library, "--text", input: "a cat\n")
                #expect(without.status == 69 && without.errors.contains("tokenizer.json"), "\(without.errors)")
                for name in ["vocab.json", "merges.txt"] {
                    let target = library.folder.appending("models").appending(Library.model).appending(name)
                    let from = Fixtures.tokenizer.appending(name).string
                    try FileManager.default.copyItem(atPath: from, toPath: target.string)
                }
                let misfit = try run(library, "--text", input: "a cat\n\n")
                #expect(misfit.status == 1)
                #expect(try answers(misfit.output).allSatisfy { $0.error?.contains("does not fit") == true })
                #expect(try library.run("embed", "--text", "x.jpg").status == 64)
                #expect(try library.run("embed").status == 64)
            }
        }
    }
}
