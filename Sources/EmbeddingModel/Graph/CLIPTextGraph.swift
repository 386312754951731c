/// CLIP's text tower as an ONNX graph: embedded tokens with their positions `[1, T, W]` → a text vector `[1, D]`, not yet
/// of unit length.
///
/// One text at a time, as long as it is: the mask is causal, so what would stand behind the end token cannot matter. The
/// end token of the last layer, normed and projected, is the vector. The table of tokens stays out of the graph: a text
/// needs a few of its rows.
enum CLIPTextGraph {
    /// Builds the graph from the checkpoint's tensors.
    ///
    /// - Throws: `.damaged` where a tensor is missing or has another shape than the configuration says.
    static func build(
        _ configuration: CLIPConfiguration,
        _ checkpoint: Checkpoint,
        isLean: Bool = true
    ) throws(EmbeddingModelError) -> ONNXGraph {
        let text = configuration.text_config
        let width = text.layers.hidden_size
        var tower = CLIPLayers(
            graph: ONNXGraph(checkpoint, input: "tokens", shape: [1, nil, width]),
            configuration: text.layers,
            prefix: "text_model.",
            sequences: (count: 1, length: -1),
            answer: .last
        )
        tower.mask = causalMask(&tower.graph)
        let rows = tower.graph.node("Reshape", [tower.graph.input, tower.graph.constant([-1, width])])
        try tower.project(
            try tower.apply(to: rows, isLean: isLean),
            norm: "final_layer_norm",
            projection: "text_projection.weight",
            dimension: configuration.projection_dim
        )
        return tower.graph
    }

    /// −∞ above the diagonal, 0 elsewhere, `[T, T]`.
    private static func causalMask(_ graph: inout ONNXGraph) -> ONNXGraph.Value {
        let shape = graph.node("Shape", [graph.input])
        let length = graph.node("Slice", [shape, graph.constant([1]), graph.constant([2])])
        let square = graph.node("Concat", [length, length], ["axis": .int(0)])
        let barred = graph.node("Expand", [graph.constant(-Float.infinity), square])
        return graph.node("Trilu", [barred, graph.constant([1])], ["upper": .int(1)])
    }
}
