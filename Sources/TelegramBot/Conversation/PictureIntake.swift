import Catalog
import Digests
import Foundation
import ImageDecoding
import SystemPackage

/// Takes a picture in: fetched, read, its files in their places, then its row.
struct PictureIntake: Sendable {
    let api: BotAPI
    let library: BotLibrary
    let rules: BotRules

    /// What became of a picture.
    enum Outcome: Sendable {
        /// It is image number so; `earlier` says since when, where it was sent before.
        case kept(Int64, earlier: String?)
        case refused(Texts.Key, [String: String])
    }

    func take(_ message: Message, _ chat: ImageRegistry.ChatRow, _ talk: Talk) async throws -> Outcome {
        guard let file = PictureFile(message, rules), let name = file.name else { return unsupported }
        switch file.fault {
        case .tooLarge: return tooLarge
        case .unsupported: return unsupported
        case nil: break
        }
        let place = "\(name)_\(message.date)"
        if let known = try await blocking({ try find(file, place, chat, picture: nil) }) { return known }
        let bytes: [UInt8]
        do {
            bytes = try await fetch(file.id)
        } catch let error as BotError where error.code == .refused {
            return error.description.contains("more than") || error.description.contains("too big")
                ? tooLarge : .refused(.gone, [:])
        }
        return try await blocking { try keep(bytes, file, place, chat) }
    }

    /// A picture that is there already, or nothing.
    func find(_ message: Message, _ chat: ImageRegistry.ChatRow) async throws -> Outcome {
        guard let file = PictureFile(message, rules) else { return unsupported }
        return try await blocking { try find(file, "", chat, picture: nil) } ?? .refused(.unknownPicture, [:])
    }

    private var tooLarge: Outcome { .refused(.tooLarge, ["n": "\(rules.largestFile / 1_000_000)"]) }
    private var unsupported: Outcome {
        .refused(.unsupported, ["kinds": rules.fileExtensions.joined(separator: ", ")])
    }

    /// The bytes of a file, asked for where it lies first.
    func fetch(_ id: String) async throws -> [UInt8] {
        let remote = try await api.getFile(id)
        guard let path = remote.file_path else { throw BotError(.refused, "getFile: no path") }
        guard remote.file_size ?? 0 <= rules.largestFile else {
            throw BotError(.refused, "getFile: more than is taken")
        }
        let bytes = try await api.download(path, limit: rules.largestFile)
        guard remote.file_size.map({ $0 == bytes.count }) ?? true else {
            throw BotError(.unavailable, "download: \(bytes.count) bytes of \(remote.file_size ?? 0)")
        }
        return bytes
    }

    private func keep(
        _ bytes: [UInt8],
        _ file: PictureFile,
        _ place: String,
        _ chat: ImageRegistry.ChatRow
    ) throws -> Outcome {
        let picture: SentPicture
        do {
            picture = try SentPicture(bytes)
        } catch {
            return error.code == .unsupported ? unsupported : .refused(.unreadable, [:])
        }
        if let known = try find(file, place, chat, picture: picture) { return known }
        let original = "data/raw/\(place).\(picture.fileExtension)"
        let compressed = "data/img/\(place)_processed.jpg"
        try AtomicFile.write(picture.original, library.root.pushing(FilePath(original)))
        try AtomicFile.write(picture.processed, library.root.pushing(FilePath(compressed)))
        let image = ImageRegistry.SentImage(
            fileID: file.id,
            uniqueID: file.uniqueID,
            byteCount: bytes.count,
            originalPath: original,
            compressedPath: compressed,
            width: picture.width,
            height: picture.height,
            format: picture.fileExtension
        )
        return .kept(try library.registry().add(image, to: chat), earlier: nil)
    }

    /// The picture's row, where it was sent before: the same file by Telegram's name or by its bytes.
    private func find(
        _ file: PictureFile,
        _ place: String,
        _ chat: ImageRegistry.ChatRow,
        picture: SentPicture?
    ) throws -> Outcome? {
        let main = try library.main()
        let chats = try Catalog(main: main, vectors: nil).chats(of: chat.scope) ?? []
        let candidates = try library.registry().candidates(
            uniqueIDs: [file.uniqueID, "\(file.uniqueID)@\(chat.id)"],
            byteCount: picture.map(\.original.count),
            chats: chats + [chat.id]
        )
        for candidate in candidates where candidate.image.isCompleted {
            // The row of this very update, which came before and was not answered to its end.
            let isOwn = candidate.originalPath?.hasPrefix("data/raw/\(place).") == true
            let isNamed = [file.uniqueID, "\(file.uniqueID)@\(chat.id)"].contains(candidate.image.fileUniqueID)
            guard isOwn || isNamed || picture.map({ isSame($0, candidate.image) }) ?? false else { continue }
            let date = isOwn ? nil : try main.details(of: candidate.image).createdAt
            return .kept(candidate.image.id, earlier: date)
        }
        return nil
    }

    private func isSame(_ picture: SentPicture, _ image: ImageRecord) -> Bool {
        image.paths.contains { library.readFile(image.having($0)) == picture.original }
    }
}
