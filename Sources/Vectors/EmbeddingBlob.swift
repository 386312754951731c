/// The bytes that stand in the bot's `images.embedding`.
///
/// The format is the bot's own: the dimension as a 32-bit unsigned integer, then that many 32-bit floats, all little
/// endian. 512 dimensions take 2052 bytes.
package struct EmbeddingBlob: Sendable, Equatable {
    /// The largest dimension that is read; above it a blob is called damaged without looking further.
    package static let maximumDimension = 16_384

    /// The largest number of bytes that a blob can have.
    package static let maximumByteCount = 4 + 4 * maximumDimension

    /// The bytes as they are stored.
    package let bytes: [UInt8]

    /// The bytes for an embedding.
    package init(_ embedding: Embedding) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 + 4 * embedding.dimension)
        Self.append(UInt32(embedding.dimension), to: &bytes)
        for component in embedding.components { Self.append(component.bitPattern, to: &bytes) }
        self.bytes = bytes
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
    }

    /// Reads stored bytes and says what they are; never fails, whatever the bytes.
    package static func read(_ bytes: some Collection<UInt8>) -> Content {
        bytes.withContiguousStorageIfAvailable { read(UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { read($0) }
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> Content {
        guard bytes.count >= 4 else { return .damaged(.tooShort) }
        let dimension = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard dimension > 0 else { return .damaged(.noDimension) }
        guard dimension <= maximumDimension, bytes.count == 4 + 4 * dimension else { return .damaged(.wrongLength) }
        let components = (1...dimension).map { index in
            let word = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            return Float(bitPattern: UInt32(littleEndian: word))
        }
        return content(of: components)
    }

    /// Uniform random numbers in 0…1 have all components there and a length near √(n/3); a model's vector of
    /// non-negative numbers has unit length, because whoever stores one scales it.
    private static func content(of components: [Float]) -> Content {
        guard components.allSatisfy(\.isFinite) else { return .damaged(.notFinite) }
        let length = components.reduce(into: 0.0) { $0 += Double($1) * Double($1) }.squareRoot()
        guard length > 0 else { return .damaged(.zeroLength) }
        if components.allSatisfy({ 0...1 ~= $0 }) && length > 1.5 { return .random(dimension: components.count) }
        guard abs(length - 1) <= 0.001 else {
            return (try? Embedding(normalizing: components)).map { .notUnitLength($0) } ?? .damaged(.notFinite)
        }
        return .embedding(Embedding(unitLength: components))
    }
}

extension EmbeddingBlob {
    /// What stored bytes turn out to be.
    package enum Content: Sendable, Equatable {
        /// A well-formed vector of unit length; whose it is, the bytes cannot tell.
        case embedding(Embedding)
        /// Well formed, but of another length than one, to which it is scaled here.
        case notUnitLength(Embedding)
        /// Uniform random numbers, as old releases of the bot stored them.
        case random(dimension: Int)
        /// Nothing that could be read as a vector.
        case damaged(Damage)
    }

    /// Why bytes are no vector.
    package enum Damage: Sendable, Equatable {
        case tooShort
        case noDimension
        case wrongLength
        case notFinite
        case zeroLength
    }
}
