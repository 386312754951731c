/// A command with the words behind it.
struct Command: Equatable, Sendable {
    let name: String
    let words: String

    init(name: String, words: String) {
        self.name = name
        self.words = words
    }

    /// - Parameter bot: The bot's own name: a command that names another bot is none.
    init?(_ text: String, to bot: String?) {
        guard text.hasPrefix("/") else { return nil }
        let parts = text.dropFirst().split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let names = (parts.first ?? "").split(separator: "@", maxSplits: 1)
        guard let name = names.first else { return nil }
        if names.count == 2, names[1].lowercased() != bot?.lowercased() { return nil }
        var words = parts.count == 2 ? String(parts[1]) : ""
        while words.last?.isWhitespace == true { words.removeLast() }
        self.init(name: name.lowercased(), words: words)
    }
}

/// What a button stands for, in the 64 bytes that Telegram keeps for it.
enum Press: Equatable, Sendable {
    case similar(image: Int64, onlyHere: Bool, offset: Int)
    case gallery(before: Int64)
    case deleteAll(person: Int64)
    case keep

    init?(_ data: String) {
        let parts = data.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let numbers = parts.dropFirst().compactMap { Int64($0) }
        guard numbers.count == parts.count - 1 else { return nil }
        switch (parts.first, numbers.count) {
        case ("s", 3) where 0...500 ~= numbers[2]:
            self = .similar(image: numbers[0], onlyHere: numbers[1] == 1, offset: Int(numbers[2]))
        case ("g", 1): self = .gallery(before: numbers[0])
        case ("d", 1): self = .deleteAll(person: numbers[0])
        case ("k", 0): self = .keep
        default: return nil
        }
    }

    var data: String {
        switch self {
        case .similar(let image, let onlyHere, let offset): "s:\(image):\(onlyHere ? 1 : 0):\(offset)"
        case .gallery(let before): "g:\(before)"
        case .deleteAll(let person): "d:\(person)"
        case .keep: "k"
        }
    }
}
