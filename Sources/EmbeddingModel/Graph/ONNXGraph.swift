import Inference

/// An ONNX graph under construction, opset 17.
///
/// Weights are external data: the graph names them and their shapes, and the session gets their bytes from the mapped
/// checkpoint. Field numbers are those of the public onnx.proto.
struct ONNXGraph {
    /// The name of a value that flows between nodes.
    struct Value {
        let name: String
    }

    /// An attribute of a node.
    enum Attribute {
        case int(Int)
        case float(Float)
        case ints([Int])
    }

    /// The graph's output.
    static let output = Value(name: "embedding")

    /// The weights that the nodes use, in the order of their first use.
    private(set) var weights: [ExternalTensor] = []
    /// The graph's input.
    let input: Value
    private let inputShape: [Int?]
    private var nodes: [ProtobufWriter] = []
    private var constants: [ProtobufWriter] = []
    private let checkpoint: Checkpoint
    private var quantizedValues: [String: QuantizedValue] = [:]
    private var count = 0

    /// - Parameter shape: The sides of the input; `nil` where the input itself tells.
    init(_ checkpoint: Checkpoint, input: String, shape: [Int?]) {
        self.checkpoint = checkpoint
        self.input = Value(name: input)
        inputShape = shape
    }

    /// Adds a node and gives its only output.
    mutating func node(_ type: String, _ inputs: [Value], _ attributes: KeyValuePairs<String, Attribute> = [:]) -> Value
    {
        count += 1
        let result = Value(name: "\(type)_\(count)")
        add(type, inputs, [result], attributes)
        return result
    }

    /// A value as whole numbers of 8 bits without sign, with the scale and the zero that say what they mean.
    struct QuantizedValue {
        let numbers: Value
        let scale: Value
        let zero: Value
    }

    /// Quantises a value by the range that it has in each call; a value that was quantised before is not so again.
    mutating func quantized(_ value: Value) -> QuantizedValue {
        if let known = quantizedValues[value.name] { return known }
        let names = ["numbers", "scale", "zero"].map { Value(name: "\(value.name)_\($0)") }
        add("DynamicQuantizeLinear", [value], names, [:])
        let result = QuantizedValue(numbers: names[0], scale: names[1], zero: names[2])
        quantizedValues[value.name] = result
        return result
    }

    /// The name of the scales that go with int8 weights.
    static func scaleName(of weight: String) -> String { weight + "_scale" }

    /// Whether the checkpoint has this weight as int8.
    func isQuantized(_ weight: String) -> Bool { checkpoint.has(Self.scaleName(of: weight)) }

    /// An int8 weight of the checkpoint, `[in, out]`, with its scales, `[out]`.
    mutating func quantizedWeight(
        _ name: String,
        _ shape: [Int]
    ) throws(EmbeddingModelError) -> (numbers: Value, scales: Value) {
        weights.append(try checkpoint.tensor(name, shape: shape, types: [.int8]))
        return (Value(name: name), try weight(Self.scaleName(of: name), [shape[1]]))
    }

    /// Names a value as the graph's output.
    mutating func finish(_ value: Value) { add("Identity", [value], [Self.output], [:]) }

    /// A weight of the checkpoint; float16 is widened when the session loads.
    mutating func weight(_ name: String, _ shape: [Int]) throws(EmbeddingModelError) -> Value {
        let tensor = try checkpoint.tensor(name, shape: shape)
        weights.append(tensor)
        let value = Value(name: name)
        return tensor.elementType == .float32 ? value : node("Cast", [value], ["to": .int(1)])
    }

    /// A list of whole numbers, such as a shape.
    mutating func constant(_ numbers: [Int]) -> Value {
        constant(type: 7, dimensions: [numbers.count]) { tensor in
            for number in numbers { tensor.field(7, Int64(number)) }
        }
    }

    /// One number.
    mutating func constant(_ number: Float) -> Value {
        constant(type: 1, dimensions: []) { $0.field(4, float: number) }
    }

    private mutating func constant(
        type: Int64,
        dimensions: [Int],
        _ content: (inout ProtobufWriter) -> Void
    ) -> Value {
        count += 1
        let value = Value(name: "constant_\(count)")
        var tensor = ProtobufWriter()
        for dimension in dimensions { tensor.field(1, Int64(dimension)) }
        tensor.field(2, type)
        content(&tensor)
        tensor.field(8, value.name)
        constants.append(tensor)
        return value
    }

    private mutating func add(
        _ type: String,
        _ inputs: [Value],
        _ outputs: [Value],
        _ attributes: KeyValuePairs<String, Attribute>
    ) {
        var node = ProtobufWriter()
        for input in inputs { node.field(1, input.name) }
        for output in outputs { node.field(2, output.name) }
        node.field(3, outputs[0].name)
        node.field(4, type)
        for (name, attribute) in attributes {
            node.field(5) { message in
                message.field(1, name)
                switch attribute {
                case .float(let number):
                    message.field(2, float: number)
                    message.field(20, 1)
                case .int(let number):
                    message.field(3, Int64(number))
                    message.field(20, 2)
                case .ints(let numbers):
                    for number in numbers { message.field(8, Int64(number)) }
                    message.field(20, 7)
                }
            }
        }
        nodes.append(node)
    }

    /// The whole ONNX file; the output is `[batch, dimension]`.
    func encoded(dimension: Int) -> [UInt8] {
        var model = ProtobufWriter()
        model.field(1, 8)
        model.field(2, "semblance")
        model.field(8) { $0.field(2, 17) }
        model.field(7) { graph in
            for node in nodes { graph.field(1) { $0 = node } }
            graph.field(2, "encoder")
            for constant in constants { graph.field(5) { $0 = constant } }
            for weight in weights { graph.field(5) { Self.write(weight, to: &$0) } }
            graph.field(11) { Self.write(input, shape: inputShape, to: &$0) }
            graph.field(12) { Self.write(Self.output, shape: [nil, dimension], to: &$0) }
        }
        return model.bytes
    }

    private static func write(_ weight: ExternalTensor, to tensor: inout ProtobufWriter) {
        for dimension in weight.shape { tensor.field(1, Int64(dimension)) }
        tensor.field(2, Int64(weight.elementType.rawValue))
        tensor.field(8, weight.name)
        tensor.field(13) { entry in
            entry.field(1, "location")
            entry.field(2, "model.safetensors")
        }
        tensor.field(14, 1)
    }

    private static func write(_ value: Value, shape: [Int?], to info: inout ProtobufWriter) {
        info.field(1, value.name)
        info.field(2) { type in
            type.field(1) { tensor in
                tensor.field(1, 1)
                tensor.field(2) { sides in
                    for (index, side) in shape.enumerated() {
                        sides.field(1) { dimension in
                            if let side { dimension.field(1, Int64(side)) } else { dimension.field(2, "side_\(index)") }
                        }
                    }
                }
            }
        }
    }
}

extension ONNXGraph {
    /// Loads the graph.
    func session(
        of model: String,
        library: InferenceLibrary,
        dimension: Int,
        threads: Int
    ) throws(EmbeddingModelError) -> InferenceSession {
        do {
            return try InferenceSession(
                library: library,
                graph: encoded(dimension: dimension),
                tensors: weights,
                owner: checkpoint.owner,
                threads: threads
            )
        } catch {
            throw EmbeddingModelError(.engine, "The model \(model) cannot be loaded. \(error)")
        }
    }
}
