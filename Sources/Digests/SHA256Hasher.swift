import CCrypto

/// A SHA-256 in the making, for what comes in pieces: a download, or a file that is larger than the memory.
///
/// The corresponding C functions are libcrypto's `EVP_DigestUpdate` and its neighbours. Used by one thread at a time.
package final class SHA256Hasher {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes the next bytes.
    package func update(_ data: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(context, data.baseAddress, data.count)
        precondition(done == 1, "libcrypto cannot hash")
    }

    /// The digest of all bytes; called once, at the end.
    package func finish() -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(done == 1, "libcrypto cannot hash")
        return SHA256Digest(hashed: digest)
    }
}
