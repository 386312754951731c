import Catalog

/// Who says something where, and in which language the answer is.
struct Talk: Sendable {
    let chat: Chat
    let person: User
    /// The message that is answered.
    let messageID: Int64?
    let texts: Texts

    init(chat: Chat, person: User, messageID: Int64?) {
        self.chat = chat
        self.person = person
        self.messageID = messageID
        texts = .speaking(person.language_code)
    }

    /// A text for the chat.
    func say(
        _ key: Texts.Key,
        _ places: [String: String] = [:],
        buttons: [[Outgoing.Button]] = []
    ) -> Outgoing {
        var outgoing = Outgoing(chat: chat.id, text: texts(key, places))
        outgoing.buttons = buttons.filter { !$0.isEmpty }
        outgoing.replyTo = messageID
        return outgoing
    }

    /// The person as the bot's database keeps them.
    var row: ImageRegistry.Person {
        ImageRegistry.Person(
            telegramID: person.id,
            username: person.username,
            firstName: person.first_name,
            lastName: person.last_name,
            language: person.language_code
        )
    }
}

/// What an update leads to.
struct Reaction: Sendable {
    var replies: [Outgoing] = []
    var album: Mailbox.AlbumPart?

    init(_ replies: [Outgoing] = [], album: Mailbox.AlbumPart? = nil) {
        self.replies = replies
        self.album = album
    }
}
