/// Numbers at offsets of a block of bytes, either byte order; an offset outside the block gives `nil`.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private let bigEndian: Bool

    init(_ bytes: ArraySlice<UInt8>, bigEndian: Bool) {
        self.bytes = bytes
        self.bigEndian = bigEndian
    }

    func word16(at offset: Int) -> Int? { word(at: offset, length: 2) }
    func word32(at offset: Int) -> Int? { word(at: offset, length: 4) }

    private func word(at offset: Int, length: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - length else { return nil }
        let field = bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + length)]
        return (bigEndian ? Array(field) : field.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
}
