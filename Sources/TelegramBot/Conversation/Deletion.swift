import Catalog
import Glibc
import SystemPackage

/// Removes pictures: their files, then the row, then what was computed.
///
/// A removal that was cut short is done again from the row, which names the files.
struct Deletion: Sendable {
    private let library: BotLibrary
    private let mailbox: Mailbox
    private let talk: Talk
    private let chat: ImageRegistry.ChatRow

    init(_ library: BotLibrary, _ mailbox: Mailbox, _ talk: Talk, _ chat: ImageRegistry.ChatRow) {
        self.library = library
        self.mailbox = mailbox
        self.talk = talk
        self.chat = chat
    }

    /// Removes the picture of a message; in a group only whoever sent it may say so.
    func delete(_ message: Message?, _ rules: BotRules) throws -> Outgoing {
        guard let message, let file = PictureFile(message, rules) else { return talk.say(.replyToPicture) }
        guard talk.chat.isPrivate || message.from?.id == talk.person.id else { return talk.say(.notYourPicture) }
        let found = try library.registry().candidates(
            uniqueIDs: [file.uniqueID, "\(file.uniqueID)@\(chat.id)"],
            byteCount: nil,
            chats: try Catalog(main: try library.main(), vectors: nil).chats(of: chat.scope) ?? []
        )
        guard let image = found.first?.image else { return talk.say(.unknownPicture) }
        try remove([image])
        return talk.say(.deleted)
    }

    /// Asks whether everything is to go.
    func ask() throws -> Outgoing {
        guard talk.chat.isPrivate else { return talk.say(.privateOnly) }
        let count = try library.registry().images(ofChat: chat.id).count
        let buttons = [(Texts.Key.buttonDelete, Press.deleteAll(person: talk.person.id)), (.buttonKeep, .keep)]
        return talk.say(
            .confirmDelete,
            ["n": "\(count)"],
            buttons: [buttons.map { .init(text: talk.texts($0.0), callback_data: $0.1.data) }]
        )
    }

    /// Removes all pictures of a private chat, and what the mailbox kept of the person.
    func deleteAll() throws -> Outgoing {
        guard talk.chat.isPrivate else { return talk.say(.privateOnly) }
        let ids = try library.registry().images(ofChat: chat.id)
        try remove(try library.main().images(ids))
        try mailbox.forget(person: talk.person.id, chat: talk.chat.id)
        return talk.say(.deletedAll, ["n": "\(ids.count)"])
    }

    /// Whether a file is the bot's own copy: what `import` has registered lies in somebody's own folders, and stays.
    private func isBots(_ path: FilePath) -> Bool {
        let whole = library.root.pushing(path).lexicallyNormalized()
        return ["data/raw", "data/img"].contains { whole.starts(with: library.root.appending($0)) }
    }

    private func remove(_ images: [ImageRecord]) throws {
        for image in images {
            for path in image.paths where isBots(path) && library.readFile(image.having(path)) != nil {
                _ = library.root.pushing(path).withPlatformString { unlink($0) }
            }
            try library.registry().remove(image)
        }
        // A backfill under way keeps the vectors for now: nobody is shown them, and they go with the next look.
        try? library.forget(images.map(\.id))
    }
}
