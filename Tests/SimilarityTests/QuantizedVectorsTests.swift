import CDotProduct
import TestSupport
import Testing
import Vectors

@testable import Similarity

@Suite("Vectors in eight bits")
struct QuantizedVectorsTests {
    /// Embeddings around a few centres, as real ones are: many are nearly equally near to a query.
    private func embeddings(_ count: Int, dimension: Int, seed: UInt64) throws -> [Embedding] {
        var random = SeededGenerator(seed: seed)
        func numbers() -> [Float] { (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) } }
        let centres = (0..<5).map { _ in numbers() }
        return try (0..<count).map { index in
            try Embedding(normalizing: zip(centres[index % 5], numbers()).map { $0 + $1 * 0.3 })
        }
    }

    @Test(
        "always have the true best among their candidates",
        arguments: [(3, 8), (500, 32), (20_000, 48), (9_000, 100)]
    )
    func recall(count: Int, dimension: Int) throws {
        let all = try embeddings(count, dimension: dimension, seed: 1)
        let vectors = QuantizedVectors(dimension: dimension)
        for (id, embedding) in all.enumerated() {
            embedding.components.withUnsafeBufferPointer { _ = vectors.append(Int64(id), $0) }
        }
        let removed = Set((0..<count).filter { $0 % 7 == 0 }.map(Int64.init))
        vectors.remove(removed)
        for query in try embeddings(10, dimension: dimension, seed: 2) + [all[1]] {
            var best = TopMatches(limit: 10)
            for (id, embedding) in all.enumerated() where !removed.contains(Int64(id)) {
                best.offer(.init(id: Int64(id), score: query.cosine(to: embedding)))
            }
            let candidates = vectors.candidates(for: query, limit: 10)
            #expect(Set(candidates.map(\.id)).isSuperset(of: best.sorted.map(\.id)))
            #expect(removed.isDisjoint(with: candidates.map(\.id)))
            for candidate in candidates.prefix(100) {
                #expect(candidate.highest >= query.cosine(to: all[Int(candidate.id)]))
            }
            #expect(candidates.count < max(count / 4, 40), "few are left to be looked at exactly")
            let rows = stride(from: 0, to: count, by: 3).map(Int32.init)
            let some = Set(vectors.candidates(for: query, limit: 10, rows: rows).map(\.id))
            let expected = best.sorted.map(\.id).filter { $0 % 3 == 0 }
            #expect(some.isSuperset(of: expected) && some.allSatisfy { $0 % 3 == 0 })
        }
    }

    @Test("are multiplied alike with AVX2 and without", arguments: [32, 512, 1280, 16_384])
    func loops(length: Int) {
        guard dot_has_avx2() != 0 else { return }
        var random = SeededGenerator(seed: UInt64(length))
        var rows = (0..<(5 * length)).map { _ in Int8.random(in: -127...127, using: &random) }
        for index in 0..<length { rows[index] = 127 }
        let query: [Int16] = (0..<length).map { _ in Bool.random(using: &random) ? 2047 : -2000 }
        var (fast, plain) = ([Int32](repeating: 0, count: 5), [Int32](repeating: 0, count: 5))
        dot_rows_avx2(rows, 5, length, query, &fast)
        dot_rows_plain(rows, 5, length, query, &plain)
        for row in 0..<5 {
            let numbers = zip(rows[(row * length)...], query)
            let exact = numbers.reduce(0) { sum, pair in sum + Int(pair.0) * Int(pair.1) }
            #expect(Int(fast[row]) == exact && plain[row] == fast[row])
        }
    }
}
