package import Inference
package import Vectors

/// A loaded model that turns texts into embeddings of the space that its pictures are in.
///
/// Several threads may embed at once.
package final class TextEncoder: Sendable {
    /// The space that all its embeddings are in.
    package let space: EmbeddingSpace

    private let tokenizer: Tokenizer?
    private let table: TokenTable
    private let session: InferenceSession

    /// Loads a model's text tower.
    ///
    /// - Throws: `.noTextTower`, `.missing` where it has no tokenizer, `.damaged`, or `.engine`.
    package convenience init(
        _ model: ModelFolder,
        precision: Precision = .float32,
        library: InferenceLibrary,
        threads: Int
    ) throws(EmbeddingModelError) {
        _ = try Self.configuration(of: model)
        let tokenizer = try Tokenizer(TokenVocabulary(folder: model.path))
        try self.init(model, precision: precision, tokenizer: tokenizer, library: library, threads: threads)
    }

    /// - Parameters:
    ///   - precision: That of the pictures; texts are computed in float32, and lie in the same space.
    ///   - tokenizer: `nil` where only token ids will be embedded.
    init(
        _ model: ModelFolder,
        precision: Precision = .float32,
        tokenizer: Tokenizer?,
        library: InferenceLibrary,
        threads: Int
    ) throws(EmbeddingModelError) {
        let configuration = try Self.configuration(of: model)
        let checkpoint = try Checkpoint(model.weights)
        let digest = checkpoint.digest
        try model.verify(weightsDigest: digest)
        self.tokenizer = tokenizer
        table = try TokenTable(configuration.text_config, checkpoint)
        space = EmbeddingSpace(
            model: model.name,
            weightsDigest: precision.weightsDigest(digest),
            preprocessingVersion: Preprocessing.version,
            dimension: configuration.projection_dim
        )
        session = try CLIPTextGraph.build(configuration, checkpoint)
            .session(of: model.name, library: library, dimension: space.dimension, threads: threads)
        checkpoint.releasePages()
    }

    private static func configuration(of model: ModelFolder) throws(EmbeddingModelError) -> CLIPConfiguration {
        guard case .clip(let configuration) = try model.architecture() else {
            throw EmbeddingModelError(.noTextTower, "The model \(model.name) has no text tower; a CLIP model has one")
        }
        return configuration
    }

    /// Embeds a text, whatever it holds; what is longer than 77 tokens is cut off.
    ///
    /// - Throws: `.engine` where the model failed, `.damaged` where the tokenizer does not fit it.
    package func embed(_ text: String) throws(EmbeddingModelError) -> Embedding {
        guard let tokenizer else { throw EmbeddingModelError(.missing, "no tokenizer was loaded") }
        return try embed(tokens: tokenizer.tokens(of: text))
    }

    /// Embeds token ids that end with the end token.
    func embed(tokens: [Int]) throws(EmbeddingModelError) -> Embedding {
        let rows = try table.rows(of: tokens)
        let shape = [1, tokens.count, table.width]
        do {
            let output = try session.run(rows, shape: shape, inputName: "tokens", outputName: "embedding") { Array($0) }
            return try Embedding(normalizing: output)
        } catch {
            throw EmbeddingModelError(.engine, "The model \(space.model) failed on a text. \(error)")
        }
    }
}
