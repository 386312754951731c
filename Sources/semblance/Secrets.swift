/// Passwords in addresses, made unreadable.
enum Secrets {
    /// The text with the password of `scheme://user:password@host` replaced.
    static func masked(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://"), let at = text.lastIndex(of: "@"), at > scheme.upperBound,
            let colon = text[scheme.upperBound..<at].firstIndex(of: ":")
        else { return text }
        return text[...colon] + "***" + text[at...]
    }
}
