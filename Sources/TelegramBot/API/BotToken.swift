/// The bot's secret, which is part of every address of the Bot API: it cannot be printed by accident.
package struct BotToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself, for addresses alone.
    let secret: String

    /// - Returns: `nil` where it is none: digits, a colon, then letters, digits, `_` and `-`.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].utf8.count >= 20,
            parts[0].utf8.allSatisfy({ (48...57).contains($0) }),
            parts[1].unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-".unicodeScalars.contains($0))
            })
        else { return nil }
        secret = text
    }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
