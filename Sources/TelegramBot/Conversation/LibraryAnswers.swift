import Catalog
import Foundation
import Similarity
import Vectors

/// Answers out of the library, within what one chat may see: in a private chat the person's pictures, in a group its own.
struct LibraryAnswers: Sendable {
    let library: BotLibrary
    let talk: Talk
    let chat: ImageRegistry.ChatRow

    private static let pageLength = 5
    private static let galleryLength = 10

    // MARK: Similar pictures

    /// Pictures that look like one.
    ///
    /// - Parameters:
    ///   - onlyHere: Only those of this chat.
    ///   - offset: How many have been shown.
    func similar(to image: Int64, onlyHere: Bool = false, offset: Int = 0) throws -> [Outgoing] {
        guard try isVisible(image) else { return [talk.say(.unknownPicture)] }
        let scope = onlyHere ? .chat(chat.id) : chat.scope
        let end = offset + Self.pageLength
        let hits: [SimilarityService.Hit]
        switch try nearest(to: image, scope, limit: end + 1) {
        case .failure(let reason): return [reason.message]
        case .success(let found): hits = found
        }
        let page = Array(hits.dropFirst(offset).prefix(Self.pageLength))
        guard !page.isEmpty else { return [offset > 0 ? talk.say(.noMore) : try nothingClose(scope)] }
        var buttons: [Outgoing.Button] = []
        if talk.chat.isPrivate {
            let other = Press.similar(image: image, onlyHere: !onlyHere, offset: 0)
            buttons.append(button(onlyHere ? .buttonAll : .buttonChat, other))
        }
        if hits.count > end {
            buttons.append(button(.buttonMore, .similar(image: image, onlyHere: onlyHere, offset: end)))
        }
        return try show(page, .similar, buttons: [buttons])
    }

    /// Why there is no answer.
    struct Reason: Error {
        let message: Outgoing
    }

    /// The images nearest to one.
    func nearest(to image: Int64, _ scope: Scope, limit: Int) throws -> Result<[SimilarityService.Hit], Reason> {
        guard let service = try library.search(), let vector = try library.vector(image, service) else {
            return .failure(Reason(message: talk.say(library.isModelHere() ? .noneYet : .noneModel)))
        }
        return .success(try service.findSimilarImages(to: vector, excluding: image, scope: scope, limit: limit))
    }

    /// Why nothing was close enough.
    func nothingClose(_ scope: Scope) throws -> Outgoing {
        let missing = try library.statistics(scope).missing
        return missing > 0 ? talk.say(.noneMissing, ["n": "\(missing)"]) : talk.say(.noneClose)
    }

    /// Pictures with their scores, then the same in words with buttons.
    func show(_ hits: [SimilarityService.Hit], _ title: Texts.Key, buttons: [[Outgoing.Button]] = []) throws
        -> [Outgoing]
    {
        let main = try library.main()
        let lines = try hits.map { hit in
            [
                "score": String(format: "%.2f", hit.cosine),
                "date": talk.texts.day(try main.details(of: hit.image).createdAt),
            ]
        }
        var pictures = Outgoing(chat: talk.chat.id)
        pictures.pictures = zip(hits, lines).map { hit, line in
            Outgoing.Picture(image: hit.image.id, caption: talk.texts(.caption, line))
        }
        pictures.replyTo = talk.messageID
        var words = talk.say(title, buttons: buttons)
        for (number, line) in lines.enumerated() {
            words.text? += "\n" + talk.texts(.similarLine, line.merging(["n": "\(number + 1)"]) { $1 })
        }
        return [pictures, words]
    }

    private func isVisible(_ image: Int64) throws -> Bool {
        let main = try library.main()
        guard let chatID = try main.images([image]).first?.chatID else { return false }
        return try Catalog(main: main, vectors: nil).chats(of: chat.scope)?.contains(chatID) ?? false
    }

    private func button(_ key: Texts.Key, _ press: Press) -> Outgoing.Button {
        Outgoing.Button(text: talk.texts(key), callback_data: press.data)
    }

    // MARK: Words

    /// Pictures that show something.
    func search(_ words: String) throws -> [Outgoing] {
        guard !words.isEmpty else { return [talk.say(.searchUsage)] }
        guard let service = try library.search() else { return [talk.say(.noneYet)] }
        let query: (Embedding, TextScale)
        do {
            query = try library.words(String(words.prefix(300)), chat.scope, service)
        } catch {
            return [talk.say(.noWords)]
        }
        let hits = try service.searchByText(query.0, scale: query.1, scope: chat.scope, limit: Self.pageLength)
        return hits.isEmpty ? [talk.say(.notFound)] : try show(hits.map(\.hit), .found)
    }

    // MARK: Everything

    /// A page of pictures, the newest first.
    func gallery(before: Int64) throws -> [Outgoing] {
        let main = try library.main()
        let chats = try Catalog(main: main, vectors: nil).chats(of: chat.scope)
        let images = try main.newestImages(before: before, count: Self.galleryLength, chats: chats)
        guard let first = images.first, let last = images.last else { return [talk.say(.galleryEmpty)] }
        let total = try main.completedCount(to: .max, chats: chats)
        let start = total - (try main.completedCount(to: first.id, chats: chats)) + 1
        var pictures = Outgoing(chat: talk.chat.id)
        pictures.pictures = try images.map { image in
            Outgoing.Picture(image: image.id, caption: talk.texts.day(try main.details(of: image).createdAt))
        }
        let end = start + images.count - 1
        var buttons: [Outgoing.Button] = []
        if start > 1 {
            let newer = try main.pageStart(above: first.id, length: Self.galleryLength, chats: chats)
            buttons.append(button(.buttonNewer, .gallery(before: newer)))
        }
        if end < total { buttons.append(button(.buttonOlder, .gallery(before: last.id))) }
        let places = ["from": "\(start)", "to": "\(end)", "n": "\(total)"]
        return [pictures, talk.say(.gallery, places, buttons: [buttons])]
    }

    /// How many pictures can be found.
    func statistics() throws -> Outgoing {
        let statistics = try library.statistics(chat.scope)
        return talk.say(
            .stats,
            [
                "n": "\(statistics.total)", "found": "\(statistics.embedded)",
                "percent": "\(Int(statistics.coverage))", "missing": "\(statistics.missing)",
            ]
        )
    }
}
