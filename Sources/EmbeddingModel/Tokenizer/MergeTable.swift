/// Which neighbouring symbols of a word become one, and in what order.
struct MergeTable: Sendable {
    private struct Pair: Hashable {
        let left: Int32
        let right: Int32
    }

    private struct Merge {
        let rank: Int
        let result: Int32
    }

    private let merges: [Pair: Merge]
    /// The symbol of each byte.
    private let bytes: [Int32]
    /// The symbol of each byte at the end of a word.
    private let lastBytes: [Int32]

    /// - Throws: `.damaged` where a byte's symbol, or a part or the result of a merge, is not in the vocabulary.
    init(_ vocabulary: TokenVocabulary) throws(EmbeddingModelError) {
        var bytes: [Int32] = []
        var lastBytes: [Int32] = []
        for letter in Self.byteLetters {
            bytes.append(Int32(try vocabulary.id(of: letter)))
            lastBytes.append(Int32(try vocabulary.id(of: letter + "</w>")))
        }
        var merges: [Pair: Merge] = [:]
        for (rank, (left, right)) in vocabulary.merges.enumerated() {
            let pair = Pair(left: Int32(try vocabulary.id(of: left)), right: Int32(try vocabulary.id(of: right)))
            let merge = Merge(rank: rank, result: Int32(try vocabulary.id(of: left + right)))
            if merges[pair] == nil { merges[pair] = merge }
        }
        self.bytes = bytes
        self.lastBytes = lastBytes
        self.merges = merges
    }

    /// The letter that stands for each byte in the vocabulary: printable Latin-1 for itself, the others from U+0100 on.
    private static let byteLetters: [String] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            let isPrintable = 33...126 ~= byte || 161...172 ~= byte || 174...255 ~= byte
            defer { if !isPrintable { next += 1 } }
            return Unicode.Scalar(isPrintable ? byte : next).map { String(Character($0)) } ?? ""
        }
    }()

    /// The token ids of one word.
    func merge(_ word: [UInt8]) -> [Int] {
        var symbols = word.map { bytes[Int($0)] }
        if let last = word.last { symbols[symbols.count - 1] = lastBytes[Int(last)] }
        while let (pair, result) = nextMerge(in: symbols) {
            var merged: [Int32] = []
            merged.reserveCapacity(symbols.count)
            var position = 0
            while position < symbols.count {
                let isPair =
                    position + 1 < symbols.count && symbols[position] == pair.left
                    && symbols[position + 1] == pair.right
                merged.append(isPair ? result : symbols[position])
                position += isPair ? 2 : 1
            }
            symbols = merged
        }
        return symbols.map(Int.init)
    }

    private func nextMerge(in symbols: [Int32]) -> (Pair, result: Int32)? {
        var best: (pair: Pair, merge: Merge)?
        for (left, right) in zip(symbols, symbols.dropFirst()) {
            let pair = Pair(left: left, right: right)
            guard let merge = merges[pair], merge.rank < best?.merge.rank ?? .max else { continue }
            best = (pair, merge)
        }
        return best.map { ($0.pair, $0.merge.result) }
    }
}
