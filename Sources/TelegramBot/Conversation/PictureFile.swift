/// The file of a message's picture: of a photo the largest size within the limit, or a document that is an image.
struct PictureFile: Sendable {
    /// What is wrong with it.
    enum Fault: Sendable {
        case tooLarge, unsupported
    }

    let id: String
    let uniqueID: String
    let byteCount: Int?
    var fault: Fault?

    /// - Returns: `nil` where the message has no file.
    init?(_ message: Message, _ rules: BotRules) {
        if let sizes = message.photo, !sizes.isEmpty {
            let fitting = sizes.filter { $0.file_size ?? 0 <= rules.largestFile }
            guard
                let size = (fitting.isEmpty ? sizes : fitting).max(by: { $0.width * $0.height < $1.width * $1.height })
            else { return nil }
            (id, uniqueID, byteCount) = (size.file_id, size.file_unique_id, size.file_size)
            fault = fitting.isEmpty ? .tooLarge : nil
        } else if let document = message.document {
            (id, uniqueID, byteCount) = (document.file_id, document.file_unique_id, document.file_size)
            let isLarge = document.file_size ?? 0 > rules.largestFile
            fault = Self.isImage(document, rules) ? isLarge ? .tooLarge : nil : .unsupported
        } else {
            return nil
        }
    }

    /// By what its sender says; its bytes are judged when they are there.
    private static func isImage(_ document: Document, _ rules: BotRules) -> Bool {
        let name = (document.file_name ?? "").lowercased()
        let hasExtension = rules.fileExtensions.contains { name.hasSuffix(".\($0)") }
        return hasExtension || name.isEmpty && document.mime_type?.hasPrefix("image/") == true
    }

    /// The name for files of it: Telegram's, unless that could be anything but a name.
    var name: String? { Self.plainName(id) }

    /// - Returns: `nil` where Telegram's name for a file could be anything but a name.
    static func plainName(_ id: String) -> String? {
        let isPlain = id.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 95
        }
        return isPlain && 1...200 ~= id.utf8.count ? id : nil
    }
}
