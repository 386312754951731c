extension ONNXGraph {
    /// A linear layer with bias, `[N, from]` → `[N, to]`, in whole numbers where the checkpoint has the weights so.
    mutating func linear(_ input: Value, _ name: String, from: Int, to: Int) throws(EmbeddingModelError) -> Value {
        guard !isQuantized(name + ".weight") else { return try quantizedLinear(input, name, from: from, to: to) }
        let kernel = try weight(name + ".weight", [to, from])
        return node("Gemm", [input, kernel, try weight(name + ".bias", [to])], ["transB": .int(1)])
    }

    /// The engine makes one operation of these nodes.
    private mutating func quantizedLinear(
        _ input: Value,
        _ name: String,
        from: Int,
        to: Int
    ) throws(EmbeddingModelError) -> Value {
        let kernel = try quantizedWeight(name + ".weight", [from, to])
        let rows = quantized(input)
        let product = node("MatMulInteger", [rows.numbers, kernel.numbers, rows.zero])
        let scale = node("Mul", [rows.scale, kernel.scales])
        let scaled = node("Mul", [node("Cast", [product], ["to": .int(1)]), scale])
        return node("Add", [scaled, try weight(name + ".bias", [to])])
    }
}
