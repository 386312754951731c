import TestSupport
import Testing
import Vectors

@Suite("Exact search")
struct VectorMatrixTests {
    private func embedding(_ dimension: Int, _ random: inout SeededGenerator) throws -> Embedding {
        try Embedding(normalizing: (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) })
    }

    private func matrix(_ vectors: [Embedding]) -> VectorMatrix {
        VectorMatrix(dimension: vectors[0].dimension, capacity: vectors.count) { add in
            for (index, vector) in vectors.enumerated() {
                vector.components.withUnsafeBytes { add(Int64(index), $0) }
            }
        }
    }

    @Test("finds what sorting all cosines finds", arguments: [1, 7, 8, 31, 32, 33, 64, 512, 1280])
    func recall(dimension: Int) throws {
        var random = SeededGenerator(seed: UInt64(dimension))
        let vectors = try (0..<300).map { _ in try embedding(dimension, &random) }
        let matrix = matrix(vectors)
        let query = try embedding(dimension, &random)
        let exact = vectors.map { vector in
            zip(vector.components, query.components).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        }
        for limit in [1, 10, 300] {
            let found = matrix.nearest(to: query, in: 0..<300, limit: limit).sorted
            #expect(found.count == limit)
            for match in found { #expect(abs(Double(match.score) - exact[Int(match.id)]) < 1e-5) }
            let bar = exact.sorted(by: >)[limit - 1]
            #expect(found.allSatisfy { exact[Int($0.id)] >= bar - 1e-5 })
            #expect(Set(found.map(\.id)).count == limit)
        }
    }

    @Test("searches a part of the rows, and nothing for a vector of another dimension")
    func parts() throws {
        var random = SeededGenerator(seed: 4)
        let vectors = try (0..<50).map { _ in try embedding(16, &random) }
        let matrix = matrix(vectors)
        let part = matrix.nearest(to: vectors[3], in: 10..<20, limit: 100).sorted
        #expect(Set(part.map(\.id)) == Set(10..<20))
        let other = try embedding(8, &random)
        #expect(matrix.nearest(to: other, in: 0..<50, limit: 5).sorted.isEmpty)
    }

    @Test("takes no row that is no vector of its dimension, and none beyond its room")
    func rows() {
        let matrix = VectorMatrix(dimension: 2, capacity: 2) { add in
            for (id, numbers) in [(1, [1, 0]), (2, [1]), (3, [0, 1]), (4, [1, 1])] as [(Int64, [Float])] {
                numbers.withUnsafeBytes { add(id, $0) }
            }
        }
        #expect(matrix.ids == [1, 3])
    }

    @Test("gives its memory back once where its vectors cannot be read to the end")
    func broken() {
        for _ in 0..<100 {
            #expect(throws: EmbeddingDefect.self) {
                try VectorMatrix(dimension: 512, capacity: 1000) { _ in throw EmbeddingDefect.empty }
            }
        }
    }

    @Test("keeps of random scores just the best, ties by id, never one that is no number", arguments: 1...20)
    func best(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let matches = (0..<200).map { id in
            let score: Float = id % 17 == 0 ? .nan : Float(Int.random(in: 0..<20, using: &random))
            return TopMatches.Match(id: Int64(id), score: score)
        }
        for limit in [0, 1, 5, 500] {
            var top = TopMatches(limit: limit)
            for match in matches.shuffled(using: &random) { top.offer(match) }
            let expected = matches.filter { !$0.score.isNaN }.sorted { ($1.score, $0.id) < ($0.score, $1.id) }
            #expect(top.sorted == Array(expected.prefix(limit)))
        }
    }
}
