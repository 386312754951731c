/// Bytes in Protocol Buffers' wire format: just the field kinds that ONNX files need.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// A whole number as a variable-length field.
    mutating func field(_ number: Int, _ value: Int64) {
        key(number, wireType: 0)
        varint(UInt64(bitPattern: value))
    }

    /// A 32-bit float.
    mutating func field(_ number: Int, float value: Float) {
        key(number, wireType: 5)
        for shift in stride(from: 0, to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift)))
        }
    }

    /// Text.
    mutating func field(_ number: Int, _ text: String) { field(number, bytes: Array(text.utf8)) }

    /// A message within the message.
    mutating func field(_ number: Int, _ build: (inout ProtobufWriter) -> Void) {
        var message = ProtobufWriter()
        build(&message)
        field(number, bytes: message.bytes)
    }

    private mutating func field(_ number: Int, bytes content: [UInt8]) {
        key(number, wireType: 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func key(_ number: Int, wireType: UInt64) { varint(UInt64(number) << 3 | wireType) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
