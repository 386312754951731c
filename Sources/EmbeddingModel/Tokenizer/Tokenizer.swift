import Foundation

/// CLIP's tokenizer: text → token ids, as the reference's `CLIPTokenizer` gives them.
///
/// The text is composed (NFC), runs of white space become one space, letters become small. It is cut into words
/// (contractions, runs of letters, single digits, runs of other signs), each word into its UTF-8 bytes, the last one
/// marked as the end of a word; then neighbours are merged pair by pair in the order of the merges (Sennrich et al.
/// 2016). The result begins with the start token, ends with the end token, and has at most 77 tokens.
package struct Tokenizer: Sendable {
    /// The most tokens that a text has, start and end included.
    package static let length = 77

    private let merges: MergeTable
    private let start: Int
    private let end: Int

    /// - Throws: `.damaged` where the vocabulary lacks a token that every vocabulary has.
    init(_ vocabulary: TokenVocabulary) throws(EmbeddingModelError) {
        merges = try MergeTable(vocabulary)
        start = try vocabulary.id(of: TextPieces.startMark)
        end = try vocabulary.id(of: TextPieces.endMark)
    }

    /// The token ids of a text, whatever it holds.
    package func tokens(of text: String) -> [Int] {
        var tokens = [start]
        for piece in TextPieces(text).pieces {
            guard tokens.count < Self.length - 1 else { break }
            switch piece {
            case .startMark: tokens.append(start)
            case .endMark: tokens.append(end)
            case .word(let bytes): tokens += merges.merge(bytes)
            }
        }
        return tokens.prefix(Self.length - 1) + [end]
    }
}
