package import Inference
package import Vectors

/// A loaded model that turns prepared pictures into embeddings.
///
/// Loading hashes the weights while the engine reads them, checks them against the manifest, and embeds two built-in
/// pictures: a model that answers with NaN, or the same for both, is refused. Several threads may embed at once.
package final class ImageEncoder: Sendable {
    /// The space that all its embeddings are in.
    package let space: EmbeddingSpace
    /// How pictures must be prepared for it.
    package let preprocessing: Preprocessing
    /// What it computes with; a model that has no int8 form keeps float32.
    package let precision: Precision
    /// How many pictures one call is best given.
    package var callSize: Int { precision.callSize }

    private let session: InferenceSession

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - precision: What to compute with. The first int8 start makes the int8 weights, in about a second.
    ///   - threads: How many threads one call may use.
    /// - Throws: `.missing`, `.damaged`, or `.engine` where ONNX Runtime is missing or refuses the graph.
    package init(
        _ model: ModelFolder,
        precision wanted: Precision = .float32,
        library: InferenceLibrary,
        threads: Int
    ) throws(EmbeddingModelError) {
        let architecture = try model.architecture()
        preprocessing = try model.preprocessing(of: architecture)
        precision = architecture.precisions.contains(wanted) ? wanted : .float32
        let checkpoint = try Checkpoint(model.weights)
        let hashing = Background { checkpoint.digest }
        let made = Result { [precision] () throws(EmbeddingModelError) in
            try Self.graph(architecture, precision, checkpoint, in: model) { hashing.value }
                .session(of: model.name, library: library, dimension: architecture.dimension, threads: threads)
        }
        try model.verify(weightsDigest: hashing.value)
        session = try made.get()
        space = EmbeddingSpace(
            model: model.name,
            weightsDigest: precision.weightsDigest(hashing.value),
            preprocessingVersion: Preprocessing.version,
            dimension: architecture.dimension
        )
        checkpoint.releasePages()
        _ = try answerKnownPictures()
    }

    /// - Parameter digest: Waits for the digest of the weights, which int8 needs first.
    private static func graph(
        _ architecture: ModelFolder.Architecture,
        _ precision: Precision,
        _ checkpoint: Checkpoint,
        in model: ModelFolder,
        digest: () -> String
    ) throws(EmbeddingModelError) -> ONNXGraph {
        switch architecture {
        case .efficientNetLite0: return try EfficientNetLiteGraph.build(checkpoint)
        case .clip(let configuration) where precision == .float32:
            return try CLIPVisionGraph.build(configuration, checkpoint)
        case .clip(let configuration):
            let digest = digest()
            try model.verify(weightsDigest: digest)
            let small = try QuantizedCheckpoint.open(in: model.path, from: checkpoint, digest: digest, configuration)
            return try CLIPVisionGraph.build(configuration, small)
        }
    }

    /// Embeds pictures, a call's worth at a time.
    ///
    /// - Parameter tensors: What `preprocessing.tensor(of:)` gave for each picture.
    /// - Returns: In the same order, an embedding or what is wrong with the model's output for that picture.
    /// - Throws: `.engine` where a call as a whole failed.
    package func embed(_ tensors: [[Float]]) throws(EmbeddingModelError) -> [Result<Embedding, EmbeddingDefect>] {
        var results: [Result<Embedding, EmbeddingDefect>] = []
        for start in stride(from: 0, to: tensors.count, by: callSize) {
            results += try call(tensors[start..<min(start + callSize, tensors.count)])
        }
        return results
    }

    private func call(
        _ tensors: ArraySlice<[Float]>
    ) throws(EmbeddingModelError) -> [Result<Embedding, EmbeddingDefect>] {
        let side = preprocessing.crop
        do {
            return try session.run(
                tensors.count == 1 ? tensors[tensors.startIndex] : Array(tensors.joined()),
                shape: [tensors.count, 3, side, side],
                inputName: "pixels",
                outputName: ONNXGraph.output.name
            ) { output in
                guard output.count == tensors.count * space.dimension else {
                    return tensors.map { _ in .failure(.empty) }
                }
                return (0..<tensors.count).map { index in
                    let row = output[(index * space.dimension)..<((index + 1) * space.dimension)]
                    return Result { () throws(EmbeddingDefect) in try Embedding(normalizing: row) }
                }
            }
        } catch {
            throw EmbeddingModelError(.engine, "The model \(space.model) failed. \(error)")
        }
    }

    /// The embeddings of two pictures that are built in: always the same ones, as long as the model is what it was.
    ///
    /// - Throws: `.damaged` where they are not finite, or the same.
    package func answerKnownPictures() throws(EmbeddingModelError) -> [Embedding] {
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
        return [first, second]
    }
}
