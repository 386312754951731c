/// EfficientNet-Lite0 without its classifier: pixels `[N, 3, 224, 224]` → the mean over positions of the head's
/// output, `[N, 1280]`, not yet of unit length.
///
/// Inverted residual blocks with ReLU6 and no squeeze-and-excite (Tan & Le 2019, the "lite" variant). Padding is
/// TensorFlow's "SAME": where it is odd, the greater half stands at the end.
struct EfficientNetLiteGraph {
    /// The pixels along one side of the input.
    static let side = 224
    /// The numbers in the output.
    static let dimension = 1280

    private var graph: ONNXGraph
    private var value: ONNXGraph.Value
    private var side = Self.side

    /// A run of equal blocks.
    private struct Stage {
        let repeats: Int
        let kernel: Int
        let stride: Int
        let expansion: Int
        let inputs: Int
        let outputs: Int

        init(_ repeats: Int, _ kernel: Int, _ stride: Int, _ expansion: Int, _ inputs: Int, _ outputs: Int) {
            self.repeats = repeats
            self.kernel = kernel
            self.stride = stride
            self.expansion = expansion
            self.inputs = inputs
            self.outputs = outputs
        }
    }

    private static let stages = [
        Stage(1, 3, 1, 1, 32, 16), Stage(2, 3, 2, 6, 16, 24), Stage(2, 5, 2, 6, 24, 40), Stage(3, 3, 2, 6, 40, 80),
        Stage(3, 5, 1, 6, 80, 112), Stage(4, 5, 2, 6, 112, 192), Stage(1, 3, 1, 6, 192, 320),
    ]

    /// Builds the graph from the checkpoint's tensors.
    static func build(_ checkpoint: Checkpoint) throws(EmbeddingModelError) -> ONNXGraph {
        let graph = ONNXGraph(checkpoint, input: "pixels", shape: [nil, 3, side, side])
        var builder = EfficientNetLiteGraph(graph: graph, value: graph.input)
        try builder.convolve("_conv_stem", "_bn0", from: 3, to: 32, kernel: 3, stride: 2)
        var index = 0
        for stage in stages {
            for repetition in 0..<stage.repeats {
                let isFirst = repetition == 0
                try builder.block(
                    index,
                    stage,
                    inputs: isFirst ? stage.inputs : stage.outputs,
                    stride: isFirst ? stage.stride : 1
                )
                index += 1
            }
        }
        try builder.convolve("_conv_head", "_bn1", from: 320, to: dimension, kernel: 1, stride: 1)
        let mean = builder.graph.node("GlobalAveragePool", [builder.value])
        builder.graph.finish(builder.graph.node("Flatten", [mean]))
        return builder.graph
    }

    private mutating func block(_ index: Int, _ stage: Stage, inputs: Int, stride: Int) throws(EmbeddingModelError) {
        let prefix = "_blocks.\(index)."
        let entry = value
        let inner = inputs * stage.expansion
        if stage.expansion > 1 {
            try convolve(prefix + "_expand_conv", prefix + "_bn0", from: inputs, to: inner, kernel: 1, stride: 1)
        }
        try convolve(
            prefix + "_depthwise_conv",
            prefix + "_bn1",
            from: 1,
            to: inner,
            kernel: stage.kernel,
            stride: stride,
            groups: inner
        )
        try convolve(
            prefix + "_project_conv",
            prefix + "_bn2",
            from: inner,
            to: stage.outputs,
            kernel: 1,
            stride: 1,
            isClipped: false
        )
        if stride == 1 && inputs == stage.outputs { value = graph.node("Add", [value, entry]) }
    }

    /// Convolution, batch norm, and ReLU6 unless it is a block's last; the engine folds the three into one.
    private mutating func convolve(
        _ name: String,
        _ norm: String,
        from inputs: Int,
        to outputs: Int,
        kernel: Int,
        stride: Int,
        groups: Int = 1,
        isClipped: Bool = true
    ) throws(EmbeddingModelError) {
        let weight = try graph.weight(name + ".weight", [outputs, inputs, kernel, kernel])
        let outputSide = (side + stride - 1) / stride
        let padding = max((outputSide - 1) * stride + kernel - side, 0)
        let (before, after) = (padding / 2, padding - padding / 2)
        side = outputSide
        let convolved = graph.node(
            "Conv",
            [value, weight],
            [
                "kernel_shape": .ints([kernel, kernel]), "strides": .ints([stride, stride]), "group": .int(groups),
                "pads": .ints([before, before, after, after]),
            ]
        )
        var inputs = [convolved]
        for part in ["weight", "bias", "running_mean", "running_var"] {
            inputs.append(try graph.weight("\(norm).\(part)", [outputs]))
        }
        value = graph.node("BatchNormalization", inputs, ["epsilon": .float(1e-3)])
        if isClipped { value = graph.node("Clip", [value, graph.constant(0), graph.constant(6)]) }
    }
}
