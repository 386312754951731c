/// CLIP's vision tower as an ONNX graph: pixels `[N, 3, S, S]` → image vectors `[N, D]`, not yet of unit length.
///
/// Patches by a strided convolution, a class token before them, positions, then layers of pre-norm attention and MLP;
/// the class token of the last layer, normed and projected, is the vector (Radford et al. 2021; the tensor names are
/// those of Hugging Face's `CLIPModel`). Between attention blocks the tokens of all pictures stand in one matrix
/// `[N·T, W]`, so that each linear layer is one matrix product.
struct CLIPVisionGraph {
    private let configuration: CLIPConfiguration.Vision
    private var graph: ONNXGraph
    private var width: Int { configuration.hidden_size }
    private var tokens: Int { configuration.patches * configuration.patches + 1 }

    /// Builds the graph from the checkpoint's tensors.
    ///
    /// - Parameter isLean: Whether the last layer does only the work that reaches the class token: its query, its
    ///   attention output and its MLP. The result is the same to float rounding; ViT-B/32 saves 7 % of its work.
    /// - Throws: `.damaged` where a tensor is missing or has another shape than the configuration says.
    static func build(
        _ configuration: CLIPConfiguration,
        _ checkpoint: Checkpoint,
        isLean: Bool = true
    ) throws(EmbeddingModelError) -> ONNXGraph {
        var builder = CLIPVisionGraph(configuration: configuration.vision_config, graph: ONNXGraph(checkpoint))
        try builder.add(dimension: configuration.projection_dim, isLean: isLean)
        return builder.graph
    }

    private mutating func add(dimension: Int, isLean: Bool) throws(EmbeddingModelError) {
        var hidden = try layerNorm(embeddings(), "pre_layrnorm")
        hidden = graph.node("Reshape", [hidden, graph.constant([-1, width])])
        let last = configuration.num_hidden_layers - 1
        for layer in 0...last {
            hidden = try encoderLayer(hidden, "encoder.layers.\(layer).", onlyClassToken: isLean && layer == last)
        }
        let classToken = isLean ? hidden : classToken(of: hidden)
        let projection = try graph.weight("visual_projection.weight", [dimension, width])
        let normed = try layerNorm(classToken, "post_layernorm")
        graph.finish(graph.node("Gemm", [normed, projection], ["transB": .int(1)]))
    }

    /// The first token of each picture: `[N·T, W]` → `[N, W]`.
    private mutating func classToken(of tokens: ONNXGraph.Value) -> ONNXGraph.Value {
        let perPicture = graph.node("Reshape", [tokens, graph.constant([-1, self.tokens, width])])
        let first = graph.node("Gather", [perPicture, graph.constant([0])], ["axis": .int(1)])
        return graph.node("Reshape", [first, graph.constant([-1, width])])
    }

    /// Patches with the class token before them, plus positions: `[N, T, W]`.
    private mutating func embeddings() throws(EmbeddingModelError) -> ONNXGraph.Value {
        let side = configuration.patch_size
        let kernel = try weight("embeddings.patch_embedding.weight", [width, 3, side, side])
        let grid = graph.node(
            "Conv",
            [ONNXGraph.input, kernel],
            ["kernel_shape": .ints([side, side]), "strides": .ints([side, side])]
        )
        let rows = graph.node("Reshape", [grid, graph.constant([0, width, -1])])
        let patches = graph.node("Transpose", [rows], ["perm": .ints([0, 2, 1])])
        let batch = graph.node("Slice", [graph.node("Shape", [patches]), graph.constant([0]), graph.constant([1])])
        let shape = graph.node("Concat", [batch, graph.constant([1, width])], ["axis": .int(0)])
        let classToken = graph.node("Expand", [try weight("embeddings.class_embedding", [width]), shape])
        let sequence = graph.node("Concat", [classToken, patches], ["axis": .int(1)])
        return graph.node("Add", [sequence, try weight("embeddings.position_embedding.weight", [tokens, width])])
    }

    /// One layer of attention and MLP: `[N·T, W]` → the same, or `[N, W]` where only the class token is wanted.
    private mutating func encoderLayer(
        _ input: ONNXGraph.Value,
        _ prefix: String,
        onlyClassToken: Bool
    ) throws(EmbeddingModelError) -> ONNXGraph.Value {
        let normed = try layerNorm(input, prefix + "layer_norm1")
        let attended = try attention(normed, prefix + "self_attn.", onlyClassToken: onlyClassToken)
        let middle = graph.node("Add", [onlyClassToken ? classToken(of: input) : input, attended])
        let inner = configuration.intermediate_size
        let raised = try linear(layerNorm(middle, prefix + "layer_norm2"), prefix + "mlp.fc1", from: width, to: inner)
        let lowered = try linear(activation(raised), prefix + "mlp.fc2", from: inner, to: width)
        return graph.node("Add", [middle, lowered])
    }

    /// Softmax(q·kᵀ/√d)·v per head, then the output projection.
    private mutating func attention(
        _ input: ONNXGraph.Value,
        _ prefix: String,
        onlyClassToken: Bool
    ) throws(EmbeddingModelError) -> ONNXGraph.Value {
        let headWidth = width / configuration.num_attention_heads
        let asking = onlyClassToken ? classToken(of: input) : input
        let queries = try heads(asking, onlyClassToken ? 1 : tokens, prefix + "q_proj", order: [0, 2, 1, 3])
        let keys = try heads(input, tokens, prefix + "k_proj", order: [0, 2, 3, 1])
        let values = try heads(input, tokens, prefix + "v_proj", order: [0, 2, 1, 3])
        let scale = graph.constant(1 / Float(headWidth).squareRoot())
        let scores = graph.node("MatMul", [graph.node("Mul", [queries, scale]), keys])
        let mixed = graph.node("MatMul", [graph.node("Softmax", [scores], ["axis": .int(-1)]), values])
        let sequence = graph.node("Transpose", [mixed], ["perm": .ints([0, 2, 1, 3])])
        let rows = graph.node("Reshape", [sequence, graph.constant([-1, width])])
        return try linear(rows, prefix + "out_proj", from: width, to: width)
    }

    /// A projection split into heads: `[N, heads, length, d]`, or with its last two sides swapped.
    private mutating func heads(
        _ input: ONNXGraph.Value,
        _ length: Int,
        _ name: String,
        order: [Int]
    ) throws(EmbeddingModelError) -> ONNXGraph.Value {
        let count = configuration.num_attention_heads
        let projected = try linear(input, name, from: width, to: width)
        let split = graph.node("Reshape", [projected, graph.constant([-1, length, count, width / count])])
        return graph.node("Transpose", [split], ["perm": .ints(order)])
    }

    private mutating func activation(_ input: ONNXGraph.Value) -> ONNXGraph.Value {
        switch configuration.hidden_act {
        case .quickGELU:
            let gate = graph.node("Sigmoid", [graph.node("Mul", [input, graph.constant(1.702)])])
            return graph.node("Mul", [input, gate])
        case .gelu:
            let scaled = graph.node("Div", [input, graph.constant(Float(2).squareRoot())])
            let gate = graph.node("Add", [graph.node("Erf", [scaled]), graph.constant(1)])
            return graph.node("Mul", [graph.node("Mul", [input, gate]), graph.constant(0.5)])
        }
    }

    private mutating func linear(
        _ input: ONNXGraph.Value,
        _ name: String,
        from: Int,
        to: Int
    ) throws(EmbeddingModelError) -> ONNXGraph.Value {
        let kernel = try weight(name + ".weight", [to, from])
        return graph.node("Gemm", [input, kernel, try weight(name + ".bias", [to])], ["transB": .int(1)])
    }

    private mutating func layerNorm(
        _ input: ONNXGraph.Value,
        _ name: String
    ) throws(EmbeddingModelError) -> ONNXGraph.Value {
        let scale = try weight(name + ".weight", [width])
        let shift = try weight(name + ".bias", [width])
        return graph.node(
            "LayerNormalization",
            [input, scale, shift],
            ["axis": .int(-1), "epsilon": .float(configuration.layer_norm_eps)]
        )
    }

    private mutating func weight(_ name: String, _ shape: [Int]) throws(EmbeddingModelError) -> ONNXGraph.Value {
        try graph.weight("vision_model." + name, shape)
    }
}
