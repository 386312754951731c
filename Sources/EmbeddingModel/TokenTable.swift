import Inference

/// The vectors of all tokens and of all positions, in the mapped checkpoint: a text needs a few of them.
struct TokenTable {
    /// Numbers in a vector.
    let width: Int

    private let tokens: ExternalTensor
    private let positions: ExternalTensor
    /// Keeps the tensors' memory where it is.
    private let owner: AnyObject

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
                number(tokens, id * width + column) + number(positions, position * width + column)
            }
        }
    }

    private func number(_ tensor: ExternalTensor, _ index: Int) -> Float {
        switch tensor.elementType {
        case .float32:
            Float(bitPattern: tensor.bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        case .float16:
            Float(Float16(bitPattern: tensor.bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        }
    }
}
