import Catalog
import Foundation
import Similarity

/// What is needed to answer an album once its parts are there.
struct AlbumContext: Codable, Sendable {
    let chat: Int64
    let chatType: String
    let person: Int64
    let language: String?
    let messageID: Int64

    init(_ talk: Talk, _ row: ImageRegistry.ChatRow, _ message: Message) {
        chat = talk.chat.id
        chatType = talk.chat.type
        person = talk.person.id
        language = talk.person.language_code
        messageID = message.message_id
    }

    var data: Data {
        get throws { try JSONEncoder.sorted.encode(self) }
    }
}

/// Answers albums when no part has come for a while: one answer for each, which is changed where parts come later.
struct AlbumAnswering: Sendable {
    let mailbox: Mailbox
    let library: BotLibrary
    let clock: @Sendable () -> Double
    let say: @Sendable (String) -> Void

    private static let pageLength = 5

    func run() async throws {
        while !Task.isCancelled {
            do {
                try await blocking { while let album = try mailbox.dueAlbum(now: clock()) { try answer(album) } }
            } catch let error as CatalogError where error.code == .locked || error.code == .cannotWrite {
                say("Albums wait: \(error)")
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    private func answer(_ album: Mailbox.DueAlbum) throws {
        guard let context = try? JSONDecoder().decode(AlbumContext.self, from: album.context) else {
            return try mailbox.answer(album, with: [], now: clock())
        }
        let talk = Talk(
            chat: Chat(id: context.chat, type: context.chatType, title: nil),
            person: User(
                id: context.person,
                username: nil,
                first_name: nil,
                last_name: nil,
                language_code: context.language
            ),
            messageID: context.messageID
        )
        let chat = try library.registry().chat(context.chat, type: context.chatType, title: nil, of: talk.row)
        var words = talk.say(.keptMany, ["n": "\(album.images.count)"])
        var replies: [Outgoing] = []
        if chat.mode == "artistic" {
            let answers = LibraryAnswers(library: library, talk: talk, chat: chat)
            let found = try similar(album.images, answers, chat.scope)
            switch found {
            case .failure(let reason): words.text? += "\n" + (reason.message.text ?? "")
            case .success(let hits) where hits.isEmpty:
                words.text? += "\n" + (try answers.nothingClose(chat.scope).text ?? "")
            case .success(let hits):
                let shown = try answers.show(hits, .similar)
                words.text? += "\n" + (shown.last?.text ?? "")
                replies = album.messageID == nil ? Array(shown.dropLast()) : []
            }
        }
        words.album = album.name
        words.edits = album.messageID
        try mailbox.answer(album, with: try (replies + [words]).map { try $0.data }, now: clock())
    }

    /// The best of what looks like any picture of the album, and is not of it.
    private func similar(
        _ images: [Int64],
        _ answers: LibraryAnswers,
        _ scope: Scope
    ) throws -> Result<[SimilarityService.Hit], LibraryAnswers.Reason> {
        var best: [Int64: SimilarityService.Hit] = [:]
        for image in images {
            switch try answers.nearest(to: image, scope, limit: Self.pageLength + images.count) {
            case .failure(let reason): return .failure(reason)
            case .success(let hits):
                for hit in hits where !images.contains(hit.image.id) && hit.cosine > best[hit.image.id]?.cosine ?? -2 {
                    best[hit.image.id] = hit
                }
            }
        }
        let order = best.values.sorted { ($1.cosine, $0.image.id) < ($0.cosine, $1.image.id) }
        return .success(Array(order.prefix(Self.pageLength)))
    }
}
