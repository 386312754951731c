import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import EmbeddingModel

@Suite("The tokenizer")
struct TokenizerTests {
    private static let tokenizer = Result { try Tokenizer(TokenVocabulary(folder: Fixtures.tokenizer)) }

    @Test("gives 2,400 texts of many scripts the ids of the reference's CLIPTokenizer")
    func golden() throws {
        let tokenizer = try Self.tokenizer.get()
        let pairs = try Fixtures.referenceTokens()
        #expect(pairs.count == 2400)
        for (text, expected) in pairs {
            let tokens = tokenizer.tokens(of: text)
            #expect(tokens == expected, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
        }
    }

    @Test("never gives more than 77 tokens, and always a start and an end", arguments: 1...100)
    func anyText(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scalars = (0..<Int.random(in: 0...300, using: &random)).compactMap { _ in
            Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random))
        }
        let tokens = try Self.tokenizer.get().tokens(of: String(String.UnicodeScalarView(scalars)))
        #expect(tokens.count <= 77 && tokens.first == 49406 && tokens.last == 49407)
    }

    @Test("takes a word of a hundred thousand letters without delay")
    func longWord() throws {
        let tokenizer = try Self.tokenizer.get()
        let time = ContinuousClock().measure {
            #expect(tokenizer.tokens(of: String(repeating: "abcdefghij", count: 10_000)).count == 77)
        }
        #expect(time < .seconds(20))
    }

    @Test("reads tokenizer.json in both of its forms like vocab.json and merges.txt")
    func tokenizerFile() throws {
        let merges = try String(contentsOfFile: Fixtures.tokenizer.appending("merges.txt").string, encoding: .utf8)
            .split(separator: "\n").dropFirst().map(String.init)
        let vocabulary = try JSONSerialization.jsonObject(
            with: Data(Fixtures.bytes(of: Fixtures.tokenizer.appending("vocab.json")))
        )
        let forms: [[Any]] = [merges, merges.map { $0.split(separator: " ").map(String.init) }]
        for form in forms {
            try withTemporaryFolder { folder in
                let file: [String: Any] = ["model": ["vocab": vocabulary, "merges": form]]
                let data = try JSONSerialization.data(withJSONObject: file)
                try data.write(to: URL(filePath: folder.appending("tokenizer.json").string))
                let tokens = try Tokenizer(TokenVocabulary(folder: folder)).tokens(of: "a photo of a cat")
                #expect(tokens == [49406, 320, 1125, 539, 320, 2368, 49407])
            }
        }
    }

    @Test(
        "refuses files that are torn or do not fit each other",
        arguments: [
            ("vocab.json", "{"), ("vocab.json", #"{"a": 0}"#), ("vocab.json", #"{"a": -1}"#), ("merges.txt", "a b c\n"),
            ("merges.txt", "neverseen symbols\n"),
        ]
    )
    func damaged(file: String, text: String) throws {
        try withTemporaryFolder { folder in
            for name in ["vocab.json", "merges.txt"] {
                let from = Fixtures.tokenizer.appending(name).string
                try FileManager.default.copyItem(atPath: from, toPath: folder.appending(name).string)
            }
            try text.write(toFile: folder.appending(file).string, atomically: true, encoding: .utf8)
            let error = #expect(throws: EmbeddingModelError.self) { try Tokenizer(TokenVocabulary(folder: folder)) }
            #expect(error?.code == .damaged)
        }
    }
}
