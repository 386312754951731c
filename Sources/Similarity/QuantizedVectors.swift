internal import CDotProduct
import Dispatch
import Synchronization
import Vectors

/// Many embeddings of one space in 8-bit whole numbers: a quarter of the memory, and of the time to pass over it.
///
/// A row is its numbers, a scale, and the length of what the rounding lost. By that length each score is known within
/// bounds, so that the best can be told for certain with a few exact vectors. A million rows of 512 components take
/// 0.53 GB. Used by one thread at a time; a pass shares the rows among the cores.
final class QuantizedVectors {
    /// The components of each embedding.
    let dimension: Int
    /// Whose vector each row is; a row that is no longer valid has `removed` in its place.
    private(set) var ids: [Int64] = []
    private let length: Int
    private var blocks: [UnsafeMutablePointer<Int8>] = []
    private var scales: [Float] = []
    private var errors: [Float] = []

    /// What stands in `ids` for a row without a vector.
    static let removed = Int64.min
    /// Rows are kept in blocks, so that nothing moves when more come.
    static let blockRows = 8192

    private static let usesAVX2 = dot_has_avx2() != 0

    init(dimension: Int) {
        self.dimension = dimension
        length = (dimension + 31) & ~31
    }

    deinit { for block in blocks { block.deallocate() } }

    /// How many rows there are, those without a vector too.
    var count: Int { ids.count }

    /// Adds an embedding's components.
    ///
    /// - Returns: Its row.
    @discardableResult
    func append(_ id: Int64, _ components: UnsafeBufferPointer<Float>) -> Int {
        precondition(components.count == dimension)
        let row = ids.count
        if row % Self.blockRows == 0 {
            let block = UnsafeMutablePointer<Int8>.allocate(capacity: Self.blockRows * length)
            block.initialize(repeating: 0, count: Self.blockRows * length)
            blocks.append(block)
        }
        let numbers = blocks[row / Self.blockRows] + row % Self.blockRows * length
        var largest: Float = 0
        for component in components { largest = max(largest, abs(component)) }
        let scale = max(largest, .leastNormalMagnitude) / 127
        var squares: Float = 0
        for index in 0..<dimension {
            let number = (components[index] / scale).rounded()
            numbers[index] = Int8(number)
            let rest = components[index] - number * scale
            squares += rest * rest
        }
        ids.append(id)
        scales.append(scale)
        errors.append(squares.squareRoot())
        return row
    }

    /// Takes the vectors of some ids away.
    func remove(_ gone: Set<Int64>) {
        guard !gone.isEmpty else { return }
        for row in ids.indices where gone.contains(ids[row]) { ids[row] = Self.removed }
    }

    /// A vector that may be among the best, with the highest score that it can have.
    struct Candidate {
        let id: Int64
        let highest: Float
    }

    /// All rows that may be among the best `limit`, the most promising first.
    ///
    /// - Parameter rows: The rows that are looked at; `nil` for all.
    func candidates(for query: Embedding, limit: Int, rows: [Int32]? = nil) -> [Candidate] {
        guard query.dimension == dimension, limit > 0 else { return [] }
        let query = QuantizedQuery(query, length: length)
        let bar = Mutex(TopMatches(limit: limit))
        let found = Mutex<[Candidate]>([])
        let pieces = rows.map { ($0.count + Self.blockRows - 1) / Self.blockRows } ?? blocks.count
        nonisolated(unsafe) let vectors = self
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let start = piece * Self.blockRows
            let scores =
                rows.map { rows in
                    vectors.scores(for: query, rows: rows[start..<min(start + Self.blockRows, rows.count)])
                } ?? vectors.scores(for: query, block: piece)
            let known = bar.withLock { $0.bar }
            var best = TopMatches(limit: limit)
            for score in scores where score.lowest >= max(known, best.bar) {
                best.offer(.init(id: score.id, score: score.lowest))
            }
            let lowest = bar.withLock { all in
                all.merge(best)
                return all.bar
            }
            let kept = scores.filter { $0.highest >= lowest }.map { Candidate(id: $0.id, highest: $0.highest) }
            found.withLock { $0 += kept }
        }
        let lowest = bar.withLock { $0.bar }
        return found.withLock { $0 }.filter { $0.highest >= lowest }
            .sorted { ($1.highest, $0.id) < ($0.highest, $1.id) }
    }

    /// For each of some rows, the later rows whose score with it may reach a threshold, in their order.
    ///
    /// A thousand rows stay in the processor's cache while all the given rows are multiplied with them.
    func later(than rows: [Int], threshold: Float) -> [[Int]] {
        let pieceRows = 1024
        let pieces = (count + pieceRows - 1) / pieceRows
        let queries = rows.map(query)
        let found = Mutex<[Int: [[Int]]]>([:])
        nonisolated(unsafe) let vectors = self
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let first = piece * pieceRows
            let end = min(first + pieceRows, vectors.count)
            guard let least = rows.min(), least < end else { return }
            let near = zip(rows, queries).map { row, query in
                row < end ? vectors.rows(max(first, row + 1)..<max(end, row + 1), reaching: threshold, query) : []
            }
            found.withLock { $0[piece] = near }
        }
        let all = found.withLock { $0 }
        return rows.indices.map { index in (0..<pieces).flatMap { all[$0]?[index] ?? [] } }
    }

    /// A row as a query: its numbers are whole already.
    private func query(_ row: Int) -> QuantizedQuery {
        let numbers = blocks[row / Self.blockRows] + row % Self.blockRows * length
        return QuantizedQuery(
            numbers: (0..<length).map { Int16(numbers[$0]) },
            scale: scales[row],
            error: errors[row]
        )
    }

    private func rows(_ range: Range<Int>, reaching threshold: Float, _ query: QuantizedQuery) -> [Int] {
        guard !range.isEmpty else { return [] }
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: range.count) { sums in
            let start = blocks[range.lowerBound / Self.blockRows] + range.lowerBound % Self.blockRows * length
            Self.multiply(start, range.count, length, query, sums)
            return range.filter { row in
                score(of: row, sums[row - range.lowerBound], query).map { $0.highest >= threshold } ?? false
            }
        }
    }

    /// The bounds of a row's score.
    private struct Score {
        let id: Int64
        let lowest: Float
        let highest: Float
    }

    private func scores(for query: QuantizedQuery, block: Int) -> [Score] {
        let first = block * Self.blockRows
        let count = min(Self.blockRows, ids.count - first)
        let sums = [Int32](unsafeUninitializedCapacity: count) { sums, initialized in
            Self.multiply(blocks[block], count, length, query, sums)
            initialized = count
        }
        return (0..<count).compactMap { score(of: first + $0, sums[$0], query) }
    }

    private func scores(for query: QuantizedQuery, rows: ArraySlice<Int32>) -> [Score] {
        rows.compactMap { row in
            let (block, place) = (Int(row) / Self.blockRows, Int(row) % Self.blockRows)
            var sum: Int32 = 0
            withUnsafeMutablePointer(to: &sum) { sum in
                Self.multiply(
                    blocks[block] + place * length,
                    1,
                    length,
                    query,
                    UnsafeMutableBufferPointer(start: sum, count: 1)
                )
            }
            return score(of: Int(row), sum, query)
        }
    }

    private static func multiply(
        _ rows: UnsafePointer<Int8>,
        _ count: Int,
        _ length: Int,
        _ query: QuantizedQuery,
        _ sums: UnsafeMutableBufferPointer<Int32>
    ) {
        let multiply = usesAVX2 ? dot_rows_avx2 : dot_rows_plain
        query.numbers.withUnsafeBufferPointer { numbers in
            guard let numbers = numbers.baseAddress, let sums = sums.baseAddress else { return }
            multiply(rows, count, length, numbers, sums)
        }
    }

    /// The bounds of a row's score.
    ///
    /// With v = s·z + e and q = t·y + f, q·v differs from s·t·(y·z) by at most |e| + |f|·|v| + |f|·|e|, where |v| and |q|
    /// are 1; a hundred-thousandth covers what float sums lose.
    private func score(of row: Int, _ sum: Int32, _ query: QuantizedQuery) -> Score? {
        guard ids[row] != Self.removed else { return nil }
        let middle = Float(sum) * scales[row] * query.scale
        let doubt = errors[row] + query.error + query.error * errors[row] + 1e-5
        return Score(id: ids[row], lowest: middle - doubt, highest: middle + doubt)
    }
}
