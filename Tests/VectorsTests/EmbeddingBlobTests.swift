import TestSupport
import Testing
import Vectors

@Suite("The bot's blob")
struct EmbeddingBlobTests {
    @Test("is the dimension, then the floats, little endian")
    func format() throws {
        let blob = EmbeddingBlob(try Embedding(normalizing: [3, 4]))
        #expect(blob.bytes == [2, 0, 0, 0, 0x9A, 0x99, 0x19, 0x3F, 0xCD, 0xCC, 0x4C, 0x3F])
        let large = try Embedding(normalizing: (0..<512).map { Float($0) - 200 })
        #expect(EmbeddingBlob(large).bytes.count == 2052)
    }

    @Test("gives back the embedding it was made of", arguments: 1...20)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let numbers = (0..<Int.random(in: 1...2000, using: &random)).map { _ in Float.random(in: -1...1, using: &random)
        }
        let embedding = try Embedding(normalizing: numbers)
        #expect(EmbeddingBlob.read(EmbeddingBlob(embedding).bytes) == .embedding(embedding))
    }

    @Test("of numpy's random numbers is recognised as made by no model")
    func fake() throws {
        #expect(EmbeddingBlob.read(try Fixtures.fakeBlob()) == .random(dimension: 384))
    }

    @Test("of a model with non-negative components is not taken for random numbers")
    func nonNegative() throws {
        let embedding = try Embedding(normalizing: (1...384).map { Float($0 % 7) })
        #expect(EmbeddingBlob.read(EmbeddingBlob(embedding).bytes) == .embedding(embedding))
    }

    @Test("that is damaged is called so")
    func damage() throws {
        let good = EmbeddingBlob(try Embedding(normalizing: [1, 2, 3])).bytes
        #expect(EmbeddingBlob.read([]) == .damaged(.tooShort))
        #expect(EmbeddingBlob.read(good.prefix(3)) == .damaged(.tooShort))
        #expect(EmbeddingBlob.read(good.dropLast()) == .damaged(.wrongLength))
        #expect(EmbeddingBlob.read(good + [0]) == .damaged(.wrongLength))
        #expect(EmbeddingBlob.read([0, 0, 0, 0]) == .damaged(.noDimension))
        #expect(EmbeddingBlob.read([0, 0, 0, 0x80]) == .damaged(.wrongLength))
        #expect(EmbeddingBlob.read(good.replacing(component: 1, with: Float.nan)) == .damaged(.notFinite))
        #expect(EmbeddingBlob.read(good.replacing(component: 1, with: -Float.infinity)) == .damaged(.notFinite))
        #expect(EmbeddingBlob.read([2, 0, 0, 0] + [UInt8](repeating: 0, count: 8)) == .damaged(.zeroLength))
        let long = EmbeddingBlob.read(good.replacing(component: 0, with: Float(-40)))
        guard case .notUnitLength(let scaled) = long else {
            Issue.record("\(long)")
            return
        }
        #expect(abs(scaled.cosine(to: scaled) - 1) < 1e-6 && scaled.components[0] < -0.99)
        let bigEndian: [UInt8] = [0, 0, 0, 3] + good.dropFirst(4)
        #expect(EmbeddingBlob.read(bigEndian) == .damaged(.wrongLength))
    }

    @Test("of any bytes whatever is read without a crash", arguments: 1...200)
    func anyBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = (0..<Int.random(in: 0...100, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        if seed % 2 == 0, bytes.count >= 4 {
            bytes.replaceSubrange(0..<4, with: [UInt8(bytes.count / 4 - 1), 0, 0, 0])
        }
        if case .embedding(let embedding) = EmbeddingBlob.read(bytes) {
            #expect(embedding.components.allSatisfy { $0.isFinite })
        }
    }
}

extension [UInt8] {
    /// A blob with one number exchanged.
    fileprivate func replacing(component: Int, with value: Float) -> [UInt8] {
        var bytes = self
        for byte in 0..<4 {
            bytes[4 + 4 * component + byte] = UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * byte))
        }
        return bytes
    }
}
