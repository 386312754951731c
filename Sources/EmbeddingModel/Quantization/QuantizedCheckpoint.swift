import FoundationEssentials
import Glibc
import Inference
import SystemPackage

/// The int8 weights of a CLIP vision tower: a safetensors file beside the published one, made from it once.
///
/// A matrix `NAME.weight` is I8, `[in, out]`, with float32 `NAME.weight_scale`, `[out]`; all other tensors are as in the
/// published file, but for the layer norms that were smoothed. The last layer stays as it is: only the class token
/// passes through it, so it costs little, and its errors would reach the vector undiminished. The header names the
/// digest of the weights that it was made from and of its own data; where either differs the file is made anew.
enum QuantizedCheckpoint {
    static let fileName = "model.int8.safetensors"

    /// Opens the int8 weights that lie beside the published ones, or makes them.
    ///
    /// - Parameter digest: The SHA-256 of the published weights.
    static func open(
        in folder: FilePath,
        from source: Checkpoint,
        digest: String,
        _ configuration: CLIPConfiguration
    ) throws(EmbeddingModelError) -> Checkpoint {
        let path = folder.appending(fileName)
        if let stored = try? Checkpoint(path), stored.metadata["weights"] == digest,
            stored.metadata["version"] == "\(Precision.quantizationVersion)",
            stored.metadata["data"] == stored.dataDigest
        {
            return stored
        }
        let file = try quantize(source, configuration)
        let metadata = [
            "weights": digest, "version": "\(Precision.quantizationVersion)", "data": file.dataDigest,
        ]
        let pieces = file.pieces(metadata: metadata)
        if write(pieces, to: path) { return try Checkpoint(path) }
        return try Checkpoint(MappedFile(holding: pieces), named: path)
    }

    /// Writes the file and gives it its name when it is complete.
    ///
    /// - Returns: `false` where the folder cannot be written: the weights are then made again by each start.
    private static func write(_ pieces: [[UInt8]], to path: FilePath) -> Bool {
        let temporary = FilePath("\(path).\(getpid()).part")
        do {
            let file = try FileDescriptor.open(
                temporary,
                .writeOnly,
                options: [.create, .truncate, .closeOnExec],
                permissions: .ownerReadWrite
            )
            do {
                for piece in pieces { try file.writeAll(piece) }
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
                try file.close()
            } catch {
                try? file.close()
                throw error
            }
        } catch {
            _ = temporary.withPlatformString { unlink($0) }
            return false
        }
        return temporary.withPlatformString { from in path.withPlatformString { rename(from, $0) } } == 0
    }

    private static func quantize(
        _ source: Checkpoint,
        _ configuration: CLIPConfiguration
    ) throws(EmbeddingModelError) -> SafetensorsFile {
        let vision = configuration.vision_config
        let width = vision.layers.hidden_size
        var file = SafetensorsFile()
        let prefix = "vision_model."
        for name in source.names(with: prefix + "embeddings.") + source.names(with: "visual_projection.") {
            file.add(try source.tensor(name, shape: source.shape(of: name)))
        }
        for name in source.names(with: prefix + "pre_layrnorm.") + source.names(with: prefix + "post_layernorm.") {
            file.add(try source.tensor(name, shape: source.shape(of: name)))
        }
        let last = vision.layers.num_hidden_layers - 1
        for layer in 0..<last {
            let name = "\(prefix)encoder.layers.\(layer)."
            let attention = ["q", "k", "v"].map { "\(name)self_attn.\($0)_proj" }
            try smooth(name + "layer_norm1", before: attention, [width, width], source, &file)
            try smooth(
                name + "layer_norm2",
                before: [name + "mlp.fc1"],
                [vision.layers.intermediate_size, width],
                source,
                &file
            )
            try quantize(name + "self_attn.out_proj", [width, width], nil, source, &file)
            try quantize(name + "mlp.fc2", [width, vision.layers.intermediate_size], nil, source, &file)
            source.releasePages()
        }
        for name in source.names(with: "\(prefix)encoder.layers.\(last).") {
            file.add(try source.tensor(name, shape: source.shape(of: name)))
        }
        return file
    }

    /// Quantises the linear layers behind a layer norm, and scales the norm to suit them.
    private static func smooth(
        _ norm: String,
        before layers: [String],
        _ shape: [Int],
        _ source: Checkpoint,
        _ file: inout SafetensorsFile
    ) throws(EmbeddingModelError) {
        let scale = try source.tensor(norm + ".weight", shape: [shape[1]]).floats
        let shift = try source.tensor(norm + ".bias", shape: [shape[1]]).floats
        var weights: [ExternalTensor] = []
        for layer in layers { weights.append(try source.tensor(layer + ".weight", shape: shape)) }
        let factors = NormSmoothing(scale: scale, shift: shift, weights: weights).factors
        file.add(norm + ".weight", shape: [shape[1]], floats: zip(scale, factors).map { $0 / $1 })
        file.add(norm + ".bias", shape: [shape[1]], floats: zip(shift, factors).map { $0 / $1 })
        for layer in layers { try quantize(layer, shape, factors, source, &file) }
    }

    /// Quantises one linear layer with its bias.
    static func quantize(
        _ layer: String,
        _ shape: [Int],
        _ factors: [Float]?,
        _ source: Checkpoint,
        _ file: inout SafetensorsFile
    ) throws(EmbeddingModelError) {
        let weights = try source.tensor(layer + ".weight", shape: shape)
        let quantized = LinearQuantization(weights, factors: factors)
        let bytes = quantized.numbers.withUnsafeBytes { Array($0) }
        file.add(weights.name, .int8, shape: [shape[1], shape[0]], bytes: bytes)
        file.add(ONNXGraph.scaleName(of: weights.name), shape: [shape[0]], floats: quantized.scales)
        file.add(try source.tensor(layer + ".bias", shape: [shape[0]]))
    }
}
