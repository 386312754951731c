/// Who may ask, and for whose images.
package struct Access: Sendable {
    /// Who asks.
    package enum Caller: Sendable, Hashable {
        /// Whoever runs the server: sees everybody's images.
        case owner
        /// One person, by Telegram id: sees that person's images only.
        case user(Int64)
    }

    /// A key; the text itself is not kept.
    private struct Key: Sendable {
        let secret: Secret
        let caller: Caller
    }

    private let keys: [Key]

    /// - Parameter keys: Each key with whose it is; where there is none, everybody who can reach the server is its owner.
    package init(keys: [(key: String, caller: Caller)]) {
        self.keys = keys.map { Key(secret: Secret($0.key), caller: $0.caller) }
    }

    /// Whether a key is needed.
    package var needsKey: Bool { !keys.isEmpty }

    /// The least bytes of a key.
    package static let leastKeyLength = 32

    /// Who sent a header; `nil` for nobody that is known.
    ///
    /// All keys are compared, so that the time says nothing about them.
    func caller(authorization: String?) -> Caller? {
        guard needsKey else { return .owner }
        guard let authorization, authorization.lowercased().hasPrefix("bearer ") else { return nil }
        let text = String(authorization.dropFirst(7))
        var found: Caller?
        for key in keys where key.secret.matches(text) { found = key.caller }
        return found
    }
}
