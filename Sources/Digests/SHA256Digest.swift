/// The SHA-256 of some bytes: what names a file's content, a vector's blob and a model's weights.
package struct SHA256Digest: Sendable, Hashable {
    /// The 32 bytes of the digest.
    package let bytes: [UInt8]

    /// The digest of bytes in memory.
    package init(of data: UnsafeRawBufferPointer) {
        let hasher = DigestHasher()
        hasher.update(data)
        self.init(hashed: hasher)
    }

    /// The digest of an array of bytes.
    package init(of data: [UInt8]) {
        self = data.withUnsafeBytes { SHA256Digest(of: $0) }
    }

    /// Takes the 32 bytes of a digest that was computed before; `nil` where they are not 32.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Ends a hasher that has taken all bytes.
    package init(hashed hasher: DigestHasher) { bytes = hasher.finish() }

    /// The digest as 64 hexadecimal digits.
    package var hexadecimal: String { bytes.hexadecimal }
}
