/// A parameter of a statement, in PostgreSQL's binary format.
///
/// Formats after the server's `send` and `recv` functions: numbers are big-endian; an array is its number of dimensions, a
/// flag, its elements' type, its length, its lower bound, and each element with its length before it.
package struct PostgresValue: Sendable {
    /// The type's number in the server; 0 where the statement says what it is.
    let type: UInt32
    /// `nil` for NULL.
    let bytes: [UInt8]?

    private init(_ type: UInt32, _ bytes: [UInt8]?) {
        self.type = type
        self.bytes = bytes
    }

    package static func bool(_ value: Bool) -> Self { Self(16, [value ? 1 : 0]) }
    package static func bytes(_ value: [UInt8]?) -> Self { Self(17, value) }
    package static func int64(_ value: Int64?) -> Self { Self(20, value.map(bigEndian)) }
    package static func text(_ value: String?) -> Self { Self(25, value.map { Array($0.utf8) }) }
    package static func double(_ value: Double?) -> Self { Self(701, value.map { bigEndian($0.bitPattern) }) }

    package static func int64s(_ values: [Int64?]?) -> Self {
        guard let values else { return Self(1016, nil) }
        return array(1016, 20, values.map { $0.map(bigEndian) })
    }
    package static func texts(_ values: [String?]) -> Self { array(1009, 25, values.map { $0.map { Array($0.utf8) } }) }
    package static func bytes(_ values: [[UInt8]?]) -> Self { array(1001, 17, values) }
    package static func doubles(_ values: [Double?]) -> Self {
        array(1022, 701, values.map { $0.map { bigEndian($0.bitPattern) } })
    }

    /// A `vector` of pgvector: the dimension in 16 bits, 16 bits of nothing, 32-bit floats.
    ///
    /// - Parameter littleEndian: The components as they lie in memory, four bytes each.
    package static func vector(littleEndian components: [UInt8]) -> Self { Self(0, vectorBytes(components)) }

    /// Vectors as an array.
    ///
    /// - Parameter type: The number that the type `vector` has in this database.
    package static func vectors(littleEndian vectors: [[UInt8]], type: UInt32) -> Self {
        array(0, type, vectors.map(vectorBytes))
    }

    private static func vectorBytes(_ components: [UInt8]) -> [UInt8] {
        let count = components.count / 4
        var bytes = bigEndian(UInt16(count)) + [0, 0]
        bytes.reserveCapacity(4 + components.count)
        for start in stride(from: 0, to: 4 * count, by: 4) {
            bytes += [components[start + 3], components[start + 2], components[start + 1], components[start]]
        }
        return bytes
    }

    private static func array(_ type: UInt32, _ element: UInt32, _ values: [[UInt8]?]) -> Self {
        guard !values.isEmpty else {
            return Self(type, bigEndian(UInt32(0)) + bigEndian(UInt32(0)) + bigEndian(element))
        }
        var bytes = bigEndian(UInt32(1)) + bigEndian(UInt32(values.contains { $0 == nil } ? 1 : 0))
        bytes += bigEndian(element) + bigEndian(UInt32(values.count)) + bigEndian(UInt32(1))
        bytes.reserveCapacity(bytes.count + values.reduce(0) { $0 + 4 + ($1?.count ?? 0) })
        for value in values {
            bytes += bigEndian(value.map { UInt32($0.count) } ?? .max)
            if let value { bytes += value }
        }
        return Self(type, bytes)
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
