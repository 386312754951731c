import FoundationEssentials

/// The settings of a `.env` file.
///
/// - `KEY=value`, with or without `export` before it; spaces around key and value do not count.
/// - A value in double or single quotes is what stands between them; in double quotes `\n`, `\t`, `\\` and `\"` are read.
/// - Outside quotes a `#` after a space begins a comment; so does one at the beginning of a line.
/// - Lines end with LF or CRLF; a byte order mark is passed over. Nothing is expanded.
struct EnvironmentFile: Equatable {
    let values: [String: String]

    /// Parses a file's text.
    ///
    /// - Throws: `CommandError` naming the file and the line that is neither setting nor comment.
    init(_ text: String, name: String) throws(CommandError) {
        var values: [String: String] = [:]
        let bare = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        let lines = bare.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (number, line) in lines.enumerated() {
            let line = Self.trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let (key, value) = Self.setting(line) else {
                throw CommandError(.usage, "Line \(number + 1) of \(name) is neither KEY=value nor a comment")
            }
            values[key] = value
        }
        self.values = values
    }

    private static func setting(_ line: Substring) -> (String, String)? {
        let line = line.hasPrefix("export ") ? trimmed(line.dropFirst(7)) : line
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let key = trimmed(line[..<equals])
        let isName = key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
        guard !key.isEmpty, isName, let value = value(trimmed(line[line.index(after: equals)...])) else { return nil }
        return (String(key), value)
    }

    private static func value(_ text: Substring) -> String? {
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            let comment = text.indices.first { index in
                text[index] == "#" && index > text.startIndex && text[text.index(before: index)].isWhitespace
            }
            return String(trimmed(text[..<(comment ?? text.endIndex)]))
        }
        return quoted(text.dropFirst(), quote: quote)
    }

    private static func quoted(_ text: Substring, quote: Character) -> String? {
        var value = ""
        var isEscaped = false
        for (offset, character) in text.enumerated() {
            if isEscaped {
                value += ["n": "\n", "t": "\t", "\\": "\\", "\"": "\""][character] ?? "\\\(character)"
                isEscaped = false
            } else if character == "\\" && quote == "\"" {
                isEscaped = true
            } else if character == quote {
                let rest = trimmed(text.dropFirst(offset + 1))
                return rest.isEmpty || rest.hasPrefix("#") ? value : nil
            } else {
                value.append(character)
            }
        }
        return nil
    }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

extension EnvironmentFile {
    /// Reads a file; `nil` where there is none.
    init?(path: String) throws(CommandError) {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw CommandError(.missingFile, "\(path) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self), !text.contains("\0") else {
            throw CommandError(.usage, "\(path) is not text in UTF-8")
        }
        try self.init(text, name: path)
    }
}
