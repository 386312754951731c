package import Inference
import SystemPackage

/// How much faster this processor computes in int8 than in float32.
package enum QuantizationGain {
    /// Measures the largest matrix product of a layer of ViT-B/32, 50 tokens · 768 → 3072, both ways on one thread.
    ///
    /// - Returns: Median time in float32 ÷ median time in int8; takes about a tenth of a second.
    package static func measure(_ library: InferenceLibrary) throws(EmbeddingModelError) -> Double {
        let (tokens, inputs, outputs) = (50, 768, 3072)
        let weights = (0..<(inputs * outputs)).map { Float($0 % 251 - 125) / 1000 }
        var whole = SafetensorsFile()
        whole.add("layer.weight", shape: [outputs, inputs], floats: weights)
        whole.add("layer.bias", shape: [outputs], floats: [Float](repeating: 0, count: outputs))
        let source = try Checkpoint(MappedFile(holding: whole.pieces(metadata: [:])), named: "layer")
        var small = SafetensorsFile()
        try QuantizedCheckpoint.quantize("layer", [outputs, inputs], nil, source, &small)
        let quantized = try Checkpoint(MappedFile(holding: small.pieces(metadata: [:])), named: "layer")
        let input = (0..<(tokens * inputs)).map { Float($0 % 97 - 48) / 20 }
        var times: [[Duration]] = [[], []]
        let sessions = [
            try session(source, library, inputs, outputs), try session(quantized, library, inputs, outputs),
        ]
        for _ in 0..<24 {
            for index in sessions.indices {
                let start = ContinuousClock.now
                do {
                    try sessions[index].run(
                        input,
                        shape: [tokens, inputs],
                        inputName: "tokens",
                        outputName: ONNXGraph.output.name
                    ) { _ in }
                } catch {
                    throw EmbeddingModelError(.engine, "A layer cannot be computed. \(error)")
                }
                times[index].append(ContinuousClock.now - start)
            }
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        return medians[0] / medians[1]
    }

    private static func session(
        _ checkpoint: Checkpoint,
        _ library: InferenceLibrary,
        _ inputs: Int,
        _ outputs: Int
    ) throws(EmbeddingModelError) -> InferenceSession {
        var graph = ONNXGraph(checkpoint, input: "tokens", shape: [nil, inputs])
        graph.finish(try graph.linear(graph.input, "layer", from: inputs, to: outputs))
        return try graph.session(of: "layer", library: library, dimension: outputs, threads: 1)
    }
}
