/// The best few of many scored candidates: higher scores first, of equal ones the lower id.
package struct TopMatches: Sendable {
    /// A candidate with its score.
    package struct Match: Sendable, Equatable {
        package let id: Int64
        package let score: Float

        package init(id: Int64, score: Float) {
            self.id = id
            self.score = score
        }

        /// Whether this one stands before another.
        func precedes(_ other: Match) -> Bool { score > other.score || (score == other.score && id < other.id) }
    }

    /// How many are kept.
    package let limit: Int
    /// A heap whose root is the worst of those that are kept.
    private var heap: [Match] = []

    package init(limit: Int) {
        self.limit = limit
        heap.reserveCapacity(limit)
    }

    /// The score that a candidate must at least have to matter; −∞ while there is room.
    package var bar: Float { heap.count < limit ? -.infinity : heap.first?.score ?? .infinity }

    /// Offers a candidate; a score that is not a number is never kept.
    package mutating func offer(_ match: Match) {
        guard limit > 0, !match.score.isNaN else { return }
        if heap.count < limit {
            heap.append(match)
            siftUp()
        } else if match.precedes(heap[0]) {
            heap[0] = match
            siftDown()
        }
    }

    /// Offers all that another has kept.
    package mutating func merge(_ other: TopMatches) {
        for match in other.heap { offer(match) }
    }

    /// What was kept, best first.
    package var sorted: [Match] { heap.sorted { $0.precedes($1) } }

    private mutating func siftUp() {
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2].precedes(heap[child]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var worst = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[worst].precedes(heap[child])
            {
                worst = child
            }
            guard worst != parent else { return }
            heap.swapAt(parent, worst)
            parent = worst
        }
    }
}
