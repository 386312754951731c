import TestSupport
import Vectors

@testable import Catalog

extension NewVector {
    /// A vector that anybody would compute for an image.
    static func seeded(_ image: ImageRecord, seed: UInt64? = nil) throws -> NewVector {
        var random = SeededGenerator(seed: seed ?? UInt64(image.id))
        let numbers = (0..<8).map { _ in Float.random(in: -1...1, using: &random) }
        return NewVector(
            image: image,
            embedding: try Embedding(normalizing: numbers),
            source: SourceFile(
                fingerprint: "f",
                digest: [UInt8](repeating: 1, count: 32),
                byteCount: 1,
                perceptualHash: PerceptualHash(bits: 1)
            ),
            origin: .new
        )
    }
}
