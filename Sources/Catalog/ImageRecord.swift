import Digests
package import SystemPackage

/// What the bot's database says about one image, as far as Semblance needs it.
package struct ImageRecord: Sendable {
    /// `images.id`; given again to another image after a deletion.
    package let id: Int64
    /// Telegram's name of the file, which tells two images of the same id apart.
    package let fileUniqueID: String
    /// The chat's internal id, where the database has one.
    package let chatID: Int64?
    /// Whether `processing_status` is exactly `completed`.
    package let isCompleted: Bool
    /// The files that the row names, in the order in which they are tried; bytes as stored.
    package let paths: [FilePath]
    /// What stands in `images.embedding`.
    package let stored: StoredValue
    /// What stands in `images.embedding_model`.
    package let label: String?
    /// What stands in `images.mode_used`: the chat's mode when the bot took the image; `nil` where nobody says.
    package var mode: String?

    /// A value of `images.embedding`, whatever a driver wrote there.
    package enum StoredValue: Sendable, Equatable {
        case nothing
        case blob([UInt8])
        case tooLarge
        case notABlob
    }

    /// The SHA-256 of the bytes in the place of the vector; `nil` where there are none.
    var storedDigest: [UInt8]? {
        guard case .blob(let bytes) = stored else { return nil }
        return SHA256Digest(of: bytes).bytes
    }

    /// The image without the bytes of its vector, for keeping many.
    package var withoutVector: ImageRecord {
        ImageRecord(
            id: id,
            fileUniqueID: fileUniqueID,
            chatID: chatID,
            isCompleted: isCompleted,
            paths: paths,
            stored: .nothing,
            label: label,
            mode: mode
        )
    }
}
