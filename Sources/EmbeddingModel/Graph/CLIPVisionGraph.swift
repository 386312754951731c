/// CLIP's vision tower as an ONNX graph: pixels `[N, 3, S, S]` → image vectors `[N, D]`, not yet of unit length.
///
/// Patches by a strided convolution, a class token before them, positions, a norm, then the layers; the class token,
/// normed and projected, is the vector (Radford et al. 2021).
enum CLIPVisionGraph {
    /// Builds the graph from the checkpoint's tensors.
    ///
    /// - Throws: `.damaged` where a tensor is missing or has another shape than the configuration says.
    static func build(
        _ configuration: CLIPConfiguration,
        _ checkpoint: Checkpoint,
        isLean: Bool = true
    ) throws(EmbeddingModelError) -> ONNXGraph {
        let vision = configuration.vision_config
        var tower = CLIPLayers(
            graph: ONNXGraph(checkpoint, input: "pixels", shape: [nil, 3, vision.image_size, vision.image_size]),
            configuration: vision.layers,
            prefix: "vision_model.",
            sequences: (count: -1, length: vision.patches * vision.patches + 1),
            answer: .first
        )
        let tokens = try embed(vision, &tower)
        let normed = try tower.layerNorm(tokens, "pre_layrnorm")
        let rows = tower.graph.node("Reshape", [normed, tower.graph.constant([-1, vision.layers.hidden_size])])
        try tower.project(
            try tower.apply(to: rows, isLean: isLean),
            norm: "post_layernorm",
            projection: "visual_projection.weight",
            dimension: configuration.projection_dim
        )
        return tower.graph
    }

    /// Patches with the class token before them, plus positions: `[N, T, W]`.
    private static func embed(
        _ vision: CLIPConfiguration.Vision,
        _ tower: inout CLIPLayers
    ) throws(EmbeddingModelError) -> ONNXGraph.Value {
        let side = vision.patch_size
        let width = vision.layers.hidden_size
        let kernel = try tower.weight("embeddings.patch_embedding.weight", [width, 3, side, side])
        let classEmbedding = try tower.weight("embeddings.class_embedding", [width])
        let positions = try tower.weight("embeddings.position_embedding.weight", [tower.sequences.length, width])
        var graph = tower.graph
        let grid = graph.node(
            "Conv",
            [graph.input, kernel],
            ["kernel_shape": .ints([side, side]), "strides": .ints([side, side])]
        )
        let rows = graph.node("Reshape", [grid, graph.constant([0, width, -1])])
        let patches = graph.node("Transpose", [rows], ["perm": .ints([0, 2, 1])])
        let batch = graph.node("Slice", [graph.node("Shape", [patches]), graph.constant([0]), graph.constant([1])])
        let shape = graph.node("Concat", [batch, graph.constant([1, width])], ["axis": .int(0)])
        let classToken = graph.node("Expand", [classEmbedding, shape])
        let sequence = graph.node("Concat", [classToken, patches], ["axis": .int(1)])
        let placed = graph.node("Add", [sequence, positions])
        tower.graph = graph
        return placed
    }
}
