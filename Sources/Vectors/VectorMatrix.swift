/// Many embeddings of one space in one piece of memory, for exact search.
///
/// A million vectors of 512 components take 2.05 GB.
///
/// - Note: `@unchecked Sendable` because nothing changes after it was built.
package final class VectorMatrix: @unchecked Sendable {
    /// The components of each vector.
    package let dimension: Int
    /// Whose vector each row is.
    package let ids: [Int64]
    /// Row by row, from an address that is a multiple of 64.
    private let numbers: UnsafeMutableBufferPointer<Float>

    /// Builds a matrix of at most so many rows.
    ///
    /// - Parameter fill: Adds rows until it returns.
    package init(
        dimension: Int,
        capacity: Int,
        _ fill: (_ add: (Int64, UnsafeRawBufferPointer) -> Void) throws -> Void
    ) rethrows {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(capacity * dimension, 1) * 4, alignment: 64)
        var ids: [Int64] = []
        do {
            try fill { id, bytes in
                guard ids.count < capacity, bytes.count == dimension * 4 else { return }
                memory[(ids.count * dimension * 4)...].copyBytes(from: bytes)
                ids.append(id)
            }
        } catch {
            memory.deallocate()
            throw error
        }
        self.dimension = dimension
        self.ids = ids
        numbers = memory.bindMemory(to: Float.self)
    }

    deinit { numbers.deallocate() }

    /// How many vectors there are.
    package var count: Int { ids.count }

    /// The bytes of a row, for the length of a call.
    package func withRow<Result>(_ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let start = row * dimension
        return try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: numbers[start..<(start + dimension)])))
    }

    /// The cosine of two rows.
    package func cosine(_ one: Int, _ other: Int) -> Float {
        DotProduct.of(
            UnsafeBufferPointer(rebasing: numbers[(one * dimension)..<((one + 1) * dimension)]),
            UnsafeBufferPointer(rebasing: numbers[(other * dimension)..<((other + 1) * dimension)])
        )
    }

    /// The nearest rows of a range, by cosine.
    package func nearest(to query: Embedding, in range: Range<Int>, limit: Int) -> TopMatches {
        var matches = TopMatches(limit: limit)
        guard query.dimension == dimension else { return matches }
        query.components.withUnsafeBufferPointer { query in
            for row in range {
                let start = row * dimension
                let score = DotProduct.of(query, UnsafeBufferPointer(rebasing: numbers[start..<(start + dimension)]))
                if score >= matches.bar { matches.offer(.init(id: ids[row], score: score)) }
            }
        }
        return matches
    }
}
