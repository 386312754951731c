import Digests
import TestSupport
import Testing
import Vectors

@Suite("An embedding")
struct EmbeddingTests {
    @Test("has unit length", arguments: 1...20)
    func unitLength(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scale = Float.random(in: 1e-15...1e15, using: &random)
        let embedding = try Embedding(
            normalizing: (0..<512).map { _ in Float.random(in: -1...1, using: &random) * scale }
        )
        let length = embedding.components.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(length - 1) < 1e-6)
        #expect(abs(embedding.cosine(to: embedding) - 1) < 1e-5)
    }

    @Test("gives the cosine that plain double arithmetic gives", arguments: [1, 7, 8, 9, 512, 1280])
    func cosine(dimension: Int) throws {
        var random = SeededGenerator(seed: 3)
        let left = try Embedding(normalizing: (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) })
        let right = try Embedding(normalizing: (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) })
        let expected = zip(left.components, right.components).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(Double(left.cosine(to: right)) - expected) < 1e-5)
    }

    @Test("is never made of nothing, of zeros, or of numbers that are not finite")
    func defects() {
        #expect(throws: EmbeddingDefect.empty) { try Embedding(normalizing: []) }
        #expect(throws: EmbeddingDefect.zeroLength) { try Embedding(normalizing: [0, 0]) }
        #expect(throws: EmbeddingDefect.notFinite) { try Embedding(normalizing: [1, .nan]) }
        #expect(throws: EmbeddingDefect.notFinite) { try Embedding(normalizing: [1, .infinity]) }
    }
}

@Suite("A SHA-256 digest")
struct SHA256DigestTests {
    @Test("is the one that the standard's examples give")
    func examples() {
        #expect(
            SHA256Digest(of: Array("abc".utf8)).hexadecimal
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            SHA256Digest(of: [UInt8]()).hexadecimal
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    }
}
