import Foundation
import TestSupport
import Testing
import Vectors

@testable import Similarity

@Suite("The scale of texts")
struct TextScaleTests {
    /// Pictures around one axis and texts around another, as CLIP has them: unrelated cosines lie near 0.2.
    private struct Library {
        var random = SeededGenerator(seed: 5)
        private static let dimension = 512

        mutating func embedding(_ first: Float, _ second: Float) throws -> Embedding {
            let noise = (0..<Self.dimension).map { _ in Float.random(in: -1...1, using: &random) }
            let length = noise.reduce(0) { $0 + $1 * $1 }.squareRoot()
            var numbers = noise.map { $0 / length * (1 - first * first - second * second).squareRoot() }
            numbers[0] += first
            numbers[1] += second
            return try Embedding(normalizing: numbers)
        }

        mutating func picture() throws -> Embedding { try embedding(0.8, 0.2) }
        mutating func text() throws -> Embedding { try embedding(0.05, 0.8) }

        /// A picture that is nearer to a text than chance brings it.
        mutating func picture(of text: Embedding, by share: Float) throws -> Embedding {
            let picture = try picture()
            return try Embedding(normalizing: zip(picture.components, text.components).map { $0 + share * $1 })
        }
    }

    private func matrix(_ embeddings: [Embedding]) -> VectorMatrix {
        VectorMatrix(dimension: 512, capacity: embeddings.count) { add in
            for (id, embedding) in embeddings.enumerated() {
                embedding.components.withUnsafeBytes { add(Int64(id), $0) }
            }
        }
    }

    private func scale(_ background: [Embedding], _ vectors: VectorMatrix) -> TextScale {
        TextScale(
            best: background.compactMap { text in
                SimilarityService.nearest(to: text, in: vectors, limit: 1).first.map { Double($0.score) }
            }
        )
    }

    @Test("calls a picture of the words strong, and hits of words that nothing shows no hits", arguments: [50, 3000])
    func grades(count: Int) throws {
        var library = Library()
        let wanted = try library.text()
        let unrelated = try (0..<50).map { _ in try library.text() }
        var pictures = try (0..<count).map { _ in try library.picture() }
        pictures[7] = try library.picture(of: wanted, by: 0.5)
        let vectors = matrix(pictures)
        let background = try TextScale.texts.map { _ in try library.text() }
        let scale = scale(background, vectors)
        let best = try #require(SimilarityService.nearest(to: wanted, in: vectors, limit: 1).first)
        #expect(best.id == 7 && scale.grade(of: best.score) == .strong && best.score < 0.7)
        let graded = unrelated.compactMap { text in
            SimilarityService.nearest(to: text, in: vectors, limit: 1).first.flatMap { scale.grade(of: $0.score) }
        }
        #expect(graded.count <= 8 && !graded.contains(.strong), "\(graded)")
    }

    @Test("rises with the number of pictures, since the best of many chance hits is better")
    func size() throws {
        var library = Library()
        let pictures = try (0..<4000).map { _ in try library.picture() }
        let background = try TextScale.texts.map { _ in try library.text() }
        let small = scale(background, matrix(Array(pictures.prefix(50))))
        let large = scale(background, matrix(pictures))
        #expect(large.mean > small.mean + 0.02)
        #expect(Set(TextScale.texts).count == 32)
    }

    @Test("finds nothing where there are no pictures")
    func empty() {
        let scale = TextScale(best: [])
        #expect(scale.grade(of: 0.99) == nil)
    }
}
