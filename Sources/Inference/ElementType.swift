/// What the numbers of a tensor are; the raw value is ONNX's code.
package enum ElementType: Int32, Sendable {
    case float32 = 1
    case int8 = 3
    case float16 = 10

    /// Bytes that one number takes.
    package var byteCount: Int {
        switch self {
        case .float32: 4
        case .float16: 2
        case .int8: 1
        }
    }
}
