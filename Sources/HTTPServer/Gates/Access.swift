import Digests

/// Who may ask, and for whose images.
package struct Access: Sendable {
    /// Who asks.
    package enum Caller: Sendable, Hashable {
        /// Whoever runs the server: sees everybody's images.
        case owner
        /// One person, by Telegram id: sees that person's images only.
        case user(Int64)
    }

    /// A key, as its digest: the key itself is not kept.
    private struct Key: Sendable {
        let digest: [UInt8]
        let caller: Caller
    }

    private let keys: [Key]

    /// - Parameter keys: Each key with whose it is; where there is none, everybody who can reach the server is its owner.
    package init(keys: [(key: String, caller: Caller)]) {
        self.keys = keys.map { Key(digest: SHA256Digest(of: Array($0.key.utf8)).bytes, caller: $0.caller) }
    }

    /// Whether a key is needed.
    package var needsKey: Bool { !keys.isEmpty }

    /// The least bytes of a key.
    package static let leastKeyLength = 32

    /// Who sent a header; `nil` for nobody that is known.
    ///
    /// Digests are compared, all of them and to their ends, so that the time says nothing about a key.
    func caller(authorization: String?) -> Caller? {
        guard needsKey else { return .owner }
        guard let authorization, authorization.lowercased().hasPrefix("bearer ") else { return nil }
        let digest = SHA256Digest(of: Array(authorization.dropFirst(7).utf8)).bytes
        var found: Caller?
        for key in keys where Self.areEqual(key.digest, digest) { found = key.caller }
        return found
    }

    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0 && left.count == right.count
    }
}
