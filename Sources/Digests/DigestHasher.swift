import CCrypto

/// A digest in the making, for what comes in pieces: a download, or a file that is larger than the memory.
///
/// The corresponding C functions are libcrypto's `EVP_DigestUpdate` and its neighbours. Used by one thread at a time.
package final class DigestHasher {
    /// Which digest.
    package enum Algorithm: Sendable {
        case sha256
        /// As git names its objects; for nothing that must be safe against forgery.
        case sha1

        fileprivate var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha1: 20
            }
        }
    }

    private let algorithm: Algorithm
    private let context: OpaquePointer

    package init(_ algorithm: Algorithm = .sha256) {
        self.algorithm = algorithm
        let type =
            switch algorithm {
            case .sha256: EVP_sha256()
            case .sha1: EVP_sha1()
            }
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, type, nil) == 1 else {
            preconditionFailure("libcrypto has no \(algorithm)")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes the next bytes.
    package func update(_ data: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(context, data.baseAddress, data.count)
        precondition(done == 1, "libcrypto cannot hash")
    }

    /// The bytes of the digest; called once, at the end.
    package func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: algorithm.byteCount)
        let done = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(done == 1, "libcrypto cannot hash")
        return digest
    }
}

extension Sequence<UInt8> {
    /// These bytes as hexadecimal digits.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
