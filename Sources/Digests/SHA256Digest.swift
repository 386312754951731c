import CCrypto

/// The SHA-256 of some bytes: what names a file's content, a vector's blob and a model's weights.
package struct SHA256Digest: Sendable, Hashable {
    /// The 32 bytes of the digest.
    package let bytes: [UInt8]

    /// The digest of bytes in memory, by the C function `EVP_Digest` of libcrypto.
    package init(of data: UnsafeRawBufferPointer) {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = EVP_Digest(data.baseAddress, data.count, &digest, nil, EVP_sha256(), nil)
        precondition(done == 1, "libcrypto has no SHA-256")
        bytes = digest
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

    /// The digest as 64 hexadecimal digits.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
