import Catalog
import Foundation

/// Sends pictures: by the name that Telegram has for them, and the files themselves where it knows none of that name.
struct PictureSending: Sendable {
    private let outgoing: Outgoing
    private let api: BotAPI
    private let library: BotLibrary

    init(_ outgoing: Outgoing, _ api: BotAPI, _ library: BotLibrary) {
        self.outgoing = outgoing
        self.api = api
        self.library = library
    }

    private struct Sent: Decodable, Sendable {
        let message_id: Int64
    }

    /// A picture, how it is named, and its bytes where they have to be sent.
    private struct Item: Sendable {
        let caption: String
        let fileID: String?
        let bytes: [UInt8]?
    }

    /// - Returns: Telegram's id of the first message; `nil` where no picture is there any more.
    func send() async throws -> Int64? {
        let named = try await blocking { try items(uploads: false) }
        guard !named.isEmpty else { return nil }
        do {
            return try await send(named)
        } catch let error as BotError where error.code == .refused && Self.isAboutFile(error) {
            return try await send(try await blocking { try items(uploads: true) })
        }
    }

    /// Whether Telegram refuses because of how the picture is named, not whom it is sent to.
    private static func isAboutFile(_ error: BotError) -> Bool {
        ["file", "media", "photo", "type"].contains { error.description.lowercased().contains($0) }
    }

    private func items(uploads: Bool) throws -> [Item] {
        let captions = outgoing.pictures.map { ($0.image, $0.caption) }
        let images = try library.main().images(captions.map(\.0))
        return try captions.compactMap { id, caption in
            guard let image = images.first(where: { $0.id == id }) else { return nil }
            let fileID = uploads ? nil : try library.registry().fileID(of: image)
            let bytes = fileID == nil ? library.smallCopy(image) : nil
            return fileID == nil && bytes == nil ? nil : Item(caption: caption, fileID: fileID, bytes: bytes)
        }
    }

    private func send(_ items: [Item]) async throws -> Int64? {
        guard items.count > 1 else { return try await sendOne(items) }
        var form = MultipartForm()
        form.add("chat_id", "\(outgoing.chat)")
        let media = items.enumerated().map { index, item in
            ["type": "photo", "media": item.fileID ?? "attach://picture\(index)", "caption": item.caption]
        }
        form.add("media", String(decoding: try JSONEncoder.sorted.encode(media), as: UTF8.self))
        try addReply(to: &form)
        for (index, item) in items.enumerated() where item.fileID == nil {
            form.add("picture\(index)", jpeg: item.bytes ?? [])
        }
        let sent: [Sent] = try await api.call("sendMediaGroup", form)
        return sent.first?.message_id
    }

    private func sendOne(_ items: [Item]) async throws -> Int64? {
        guard let item = items.first else { return nil }
        var form = MultipartForm()
        form.add("chat_id", "\(outgoing.chat)")
        form.add("caption", item.caption)
        if let name = item.fileID { form.add("photo", name) } else { form.add("photo", jpeg: item.bytes ?? []) }
        try addReply(to: &form)
        let sent: Sent = try await api.call("sendPhoto", form)
        return sent.message_id
    }

    private func addReply(to form: inout MultipartForm) throws {
        guard let id = outgoing.replyTo else { return }
        let json = try JSONEncoder.sorted.encode(ReplyParameters(message_id: id))
        form.add("reply_parameters", String(decoding: json, as: UTF8.self))
    }
}
