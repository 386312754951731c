import Foundation
import SystemPackage

/// A tokenizer's files: which token has which id, and the merges in their order.
///
/// A published folder has `vocab.json` and `merges.txt`, or `tokenizer.json` with both, or all three.
struct TokenVocabulary {
    private let ids: [String: Int]
    /// Pairs of symbols that become one, the first ones first.
    let merges: [(left: String, right: String)]

    /// Reads a model folder.
    init(folder: FilePath) throws(EmbeddingModelError) {
        if ModelStore.exists(folder.appending("vocab.json")) {
            ids = try Self.decode([String: Int].self, folder.appending("vocab.json"))
            merges = try Self.merges(in: folder.appending("merges.txt"))
        } else {
            let file = try Self.decode(TokenizerFile.self, folder.appending("tokenizer.json"))
            ids = file.model.vocab
            merges = file.model.merges.map { ($0.left, $0.right) }
        }
        guard ids.values.allSatisfy({ 0..<1_000_000 ~= $0 }) else {
            throw EmbeddingModelError(.damaged, "\(folder): the vocabulary has impossible token ids")
        }
    }

    /// The id of a token.
    func id(of token: String) throws(EmbeddingModelError) -> Int {
        guard let id = ids[token] else {
            throw EmbeddingModelError(
                .damaged,
                "the tokenizer's vocabulary has no token \"\(token)\"; fetch the model again"
            )
        }
        return id
    }

    private struct TokenizerFile: Decodable {
        let model: Model

        struct Model: Decodable {
            let vocab: [String: Int]
            let merges: [Merge]
        }

        /// Older files hold "a b", newer ones ["a", "b"].
        struct Merge: Decodable {
            let left: String
            let right: String

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                let parts =
                    try (try? value.decode([String].self))
                    ?? value.decode(String.self).split(separator: " ").map(String.init)
                guard parts.count == 2 else {
                    throw DecodingError.dataCorruptedError(in: value, debugDescription: "a merge has two parts")
                }
                (left, right) = (parts[0], parts[1])
            }
        }
    }

    private static func merges(in path: FilePath) throws(EmbeddingModelError) -> [(left: String, right: String)] {
        let lines = String(decoding: try contents(of: path), as: UTF8.self).split(separator: "\n")
        var merges: [(left: String, right: String)] = []
        for line in lines where !line.hasPrefix("#version") {
            let parts = line.split(separator: " ")
            guard parts.count == 2 else {
                throw EmbeddingModelError(
                    .damaged,
                    "\(path) has a line that is no pair of symbols; fetch the model again"
                )
            }
            merges.append((String(parts[0]), String(parts[1])))
        }
        return merges
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ path: FilePath
    ) throws(EmbeddingModelError) -> Value {
        let data = try contents(of: path)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw EmbeddingModelError(.damaged, "\(path) is not what it should be; fetch the model again")
        }
    }

    private static func contents(of path: FilePath) throws(EmbeddingModelError) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: path.string))
        } catch {
            throw EmbeddingModelError(.missing, "\(path) cannot be read")
        }
    }
}
