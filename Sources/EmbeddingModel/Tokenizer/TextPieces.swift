import Foundation

/// A text cut into the words that are tokenized on their own.
struct TextPieces {
    /// A word, or one of the two marks where the text itself spells it out.
    enum Piece: Equatable {
        case startMark
        case endMark
        case word([UInt8])
    }

    static let startMark = "<|startoftext|>"
    static let endMark = "<|endoftext|>"

    private(set) var pieces: [Piece] = []

    init(_ text: String) {
        var rest = Substring(text)
        while let (range, mark) = Self.firstMark(in: rest) {
            addWords(of: rest[..<range.lowerBound])
            pieces.append(mark)
            rest = rest[range.upperBound...]
        }
        addWords(of: rest)
    }

    /// The marks count as tokens where they stand exactly so in the text as it was given.
    private static func firstMark(in text: Substring) -> (Range<Substring.Index>, Piece)? {
        let candidates: [(String, Piece)] = [(startMark, .startMark), (endMark, .endMark)]
        return candidates.compactMap { mark, piece in text.range(of: mark, options: .literal).map { ($0, piece) } }
            .min { $0.0.lowerBound < $1.0.lowerBound }
    }

    private mutating func addWords(of text: Substring) {
        let scalars = text.precomposedStringWithCanonicalMapping.unicodeScalars
            .flatMap { $0.properties.lowercaseMapping.unicodeScalars }
        var position = 0
        while position < scalars.count {
            let length = Self.wordLength(in: scalars[position...])
            if length > 0 {
                for word in Self.split(scalars[position..<(position + length)]) { pieces.append(.word(word)) }
            }
            position += max(length, 1)
        }
    }

    /// How many scalars the word at the beginning has; 0 for white space.
    private static func wordLength(in text: ArraySlice<Unicode.Scalar>) -> Int {
        for literal in literals where text.starts(with: literal) { return literal.count }
        guard let first = text.first, !first.properties.isWhitespace else { return 0 }
        if first.isNumber { return 1 }
        if first.isLetter { return text.prefix { $0.isLetter }.count }
        return text.prefix { !$0.properties.isWhitespace && !$0.isLetter && !$0.isNumber }.count
    }

    private static let literals = [startMark, endMark, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
        .map { Array($0.unicodeScalars) }

    /// A mark that became one by its letters becoming small is no token, and falls into its three parts.
    private static func split(_ word: ArraySlice<Unicode.Scalar>) -> [[UInt8]] {
        let text = String(String.UnicodeScalarView(word))
        guard text == startMark || text == endMark else { return [Array(text.utf8)] }
        return ["<|", String(text.dropFirst(2).dropLast(2)), "|>"].map { Array($0.utf8) }
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    fileprivate var isNumber: Bool {
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }
}
