package import Inference
package import Vectors

/// A loaded model that turns prepared pictures into embeddings.
///
/// Loading hashes the weights, checks them against the manifest, writes the graph, and embeds two built-in pictures:
/// a model that answers with NaN, or the same for both, is refused. An encoder belongs to one thread at a time.
package final class ImageEncoder {
    /// The space that all its embeddings are in.
    package let space: EmbeddingSpace
    /// How pictures must be prepared for it.
    package let preprocessing: Preprocessing

    private let session: InferenceSession

    /// Loads a model.
    ///
    /// - Parameter threads: How many threads one batch may use.
    /// - Throws: `.missing`, `.damaged`, or `.engine` where ONNX Runtime is missing or refuses the graph.
    package init(_ model: ModelFolder, library: InferenceLibrary, threads: Int) throws(EmbeddingModelError) {
        let architecture = try model.architecture()
        preprocessing = try model.preprocessing(of: architecture)
        let checkpoint = try Checkpoint(model.weights)
        try model.verify(weightsDigest: checkpoint.digest)
        let (graph, dimension) =
            switch architecture {
            case .clip(let configuration):
                (try CLIPVisionGraph.build(configuration, checkpoint), configuration.projection_dim)
            case .efficientNetLite0:
                (try EfficientNetLiteGraph.build(checkpoint), EfficientNetLiteGraph.dimension)
            }
        space = EmbeddingSpace(
            model: model.name,
            weightsDigest: checkpoint.digest,
            preprocessingVersion: Preprocessing.version,
            dimension: dimension
        )
        session = try graph.session(of: model.name, library: library, dimension: dimension, threads: threads)
        try testItself()
    }

    /// Embeds a batch.
    ///
    /// - Parameter tensors: What `preprocessing.tensor(of:)` gave for each picture.
    /// - Returns: In the same order, an embedding or what is wrong with the model's output for that picture.
    /// - Throws: `.engine` where the batch as a whole failed.
    package func embed(_ tensors: [[Float]]) throws(EmbeddingModelError) -> [Result<Embedding, EmbeddingDefect>] {
        guard !tensors.isEmpty else { return [] }
        let side = preprocessing.crop
        do {
            return try session.run(
                Array(tensors.joined()),
                shape: [tensors.count, 3, side, side],
                inputName: "pixels",
                outputName: ONNXGraph.output.name
            ) { output in
                guard output.count == tensors.count * space.dimension else {
                    return tensors.map { _ in .failure(.empty) }
                }
                return tensors.indices.map { index in
                    let row = output[(index * space.dimension)..<((index + 1) * space.dimension)]
                    return Result { () throws(EmbeddingDefect) in try Embedding(normalizing: row) }
                }
            }
        } catch {
            throw EmbeddingModelError(.engine, "The model \(space.model) failed. \(error)")
        }
    }

    private func testItself() throws(EmbeddingModelError) {
        let embeddings = try embed(BuiltInPictures.all.map(preprocessing.tensor(of:)))
        guard case .success(let first) = embeddings[0], case .success(let second) = embeddings[1],
            first.cosine(to: second) < 0.9999
        else {
            throw EmbeddingModelError(
                .damaged,
                "The model \(space.model) fails its self-test: two different pictures must give two different vectors "
                    + "of finite numbers. Its weights are damaged; fetch the model again"
            )
        }
    }
}
