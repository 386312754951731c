/// What makes two vectors comparable: the same model, the same weights, the same preprocessing, the same dimension.
///
/// Vectors of different spaces are never compared, never counted together and never mixed in an answer.
package struct EmbeddingSpace: Sendable, Hashable {
    /// The model's name, as it is written beside each vector in the bot's database.
    package let model: String
    /// The SHA-256 of the weights file, in hexadecimal.
    package let weightsDigest: String
    /// Counts up whenever the same file would give other pixels to the model.
    package let preprocessingVersion: Int
    /// The number of components of each vector.
    package let dimension: Int

    package init(model: String, weightsDigest: String, preprocessingVersion: Int, dimension: Int) {
        self.model = model
        self.weightsDigest = weightsDigest
        self.preprocessingVersion = preprocessingVersion
        self.dimension = dimension
    }
}
