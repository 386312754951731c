import Inference

/// The vectors of all tokens and of all positions, in the mapped checkpoint: a text needs a few of them.
struct TokenTable: Sendable {
    /// Numbers in a vector.
    let width: Int

    private let tokens: ExternalTensor
    private let positions: ExternalTensor
    /// Keeps the tensors' memory where it is.
    private let owner: any AnyObject & Sendable

    init(_ text: CLIPConfiguration.Text, _ checkpoint: Checkpoint) throws(EmbeddingModelError) {
        width = text.layers.hidden_size
        owner = checkpoint.owner
        tokens = try checkpoint.tensor(
            "text_model.embeddings.token_embedding.weight",
            shape: [text.vocab_size, width]
        )
        positions = try checkpoint.tensor(
            "text_model.embeddings.position_embedding.weight",
            shape: [text.max_position_embeddings, width]
        )
    }

    /// Token vector plus position vector for each token, `[T, W]`.
    ///
    /// - Throws: `.damaged` where the tokenizer's ids do not fit the model's table.
    func rows(of ids: [Int]) throws(EmbeddingModelError) -> [Float] {
        guard ids.count <= positions.shape[0], ids.allSatisfy({ 0..<tokens.shape[0] ~= $0 }) else {
            throw EmbeddingModelError(.damaged, "the tokenizer does not fit the model's text tower")
        }
        return ids.enumerated().flatMap { position, id in
            (0..<width).map { column in
                tokens.float(at: id * width + column) + positions.float(at: position * width + column)
            }
        }
    }
}
