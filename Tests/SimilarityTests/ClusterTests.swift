import TestSupport
import Testing
import Vectors

@testable import Similarity

@Suite("Pairs of vectors in eight bits")
struct ClusterTests {
    @Test("that reach a threshold are all found, and few others", arguments: [(10, 8), (3000, 64), (9000, 32)])
    func pairs(count: Int, dimension: Int) throws {
        var random = SeededGenerator(seed: 3)
        let all = try (0..<count).map { _ in
            try Embedding(normalizing: (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) })
        }
        let vectors = QuantizedVectors(dimension: dimension)
        for embedding in all { embedding.components.withUnsafeBufferPointer { _ = vectors.append(1, $0) } }
        let rows = [0, 1, 5, count / 2, count - 2, count - 1]
        let threshold: Float = 0.3
        for (row, found) in zip(rows, vectors.later(than: rows, threshold: threshold)) {
            let exact = ((row + 1)..<max(count, row + 1)).filter { all[row].cosine(to: all[$0]) >= threshold }
            #expect(Set(found).isSuperset(of: exact) && found == found.sorted() && found.allSatisfy { $0 > row })
            #expect(found.allSatisfy { all[row].cosine(to: all[$0]) >= threshold - 0.06 })
        }
    }

    @Test("that are joined make sets, whatever the order")
    func sets() {
        var sets = DisjointSets(count: 8)
        for (one, other) in [(7, 3), (2, 1), (3, 5), (1, 2), (5, 7)] { sets.join(one, other) }
        #expect(Set(sets.sets()) == [[1, 2], [3, 5, 7]])
    }
}
