import Catalog
import Foundation

/// What the bot makes of an update.
///
/// The same update may come to it twice, and leads to the same rows then.
struct Conversation: Sendable {
    let api: BotAPI
    let library: BotLibrary
    let rules: BotRules
    let mailbox: Mailbox
    /// The bot itself.
    let me: User
    let say: @Sendable (String) -> Void

    func react(to update: Update) async throws -> Reaction {
        if let message = update.message { return try await react(to: message) }
        if let callback = update.callback_query { return try await blocking { try react(to: callback) } }
        return Reaction()
    }

    // MARK: Messages

    private func react(to message: Message) async throws -> Reaction {
        guard let person = message.from else { return Reaction() }
        let talk = Talk(chat: message.chat, person: person, messageID: message.message_id)
        guard isAddressed(message) else { return Reaction() }
        if let reply = try admit(message, talk) { return Reaction(reply) }
        if let command = Command(message.words, to: me.username) { return try await obey(command, message, talk) }
        guard message.photo != nil || message.document != nil else {
            return message.chat.isPrivate ? Reaction([talk.say(.help)]) : Reaction()
        }
        return try await take(message, talk)
    }

    /// In groups only what is said to the bot.
    private func isAddressed(_ message: Message) -> Bool {
        guard !message.chat.isPrivate else { return true }
        let isAnswer = message.reply_to_message?.value.from?.id == me.id
        return isAnswer || me.username.map { message.words.contains("@\($0)") } ?? false
    }

    /// Whether the bot talks to somebody.
    ///
    /// - Returns: What it says instead; `nil` where it does.
    private func admit(_ message: Message, _ talk: Talk) throws -> [Outgoing]? {
        if rules.allows(person: talk.person.id, chat: talk.chat.id) { return nil }
        let owner = try mailbox.fact("owner").flatMap { Int64($0) }
        if rules.isForOwner, owner == talk.person.id { return nil }
        if rules.isForOwner, owner == nil, talk.chat.isPrivate, let code = try mailbox.fact("code"),
            Command(message.words, to: me.username) == Command(name: "start", words: code)
        {
            try mailbox.keepFact("owner", "\(talk.person.id)")
            say("The bot belongs to user \(talk.person.id) now.")
            return [talk.say(.owner), talk.say(.help)]
        }
        return talk.chat.isPrivate ? [talk.say(.private)] : []
    }

    private func obey(_ command: Command, _ message: Message, _ talk: Talk) async throws -> Reaction {
        switch command.name {
        case "start": return Reaction([talk.say(.start)])
        case "help": return Reaction([talk.say(.help)])
        case "similar": return try await similar(to: message, talk)
        default: return try await blocking { Reaction(try obeyAtOnce(command, message, talk)) }
        }
    }

    private func obeyAtOnce(_ command: Command, _ message: Message, _ talk: Talk) throws -> [Outgoing] {
        let chat = try row(talk)
        let answers = LibraryAnswers(library: library, talk: talk, chat: chat)
        switch command.name {
        case "mode": return [try changeMode(command.words, chat, talk)]
        case "search": return try answers.search(command.words)
        case "gallery": return try answers.gallery(before: .max)
        case "stats": return [try answers.statistics()]
        case "delete":
            return [try Deletion(library, mailbox, talk, chat).delete(message.reply_to_message?.value, rules)]
        case "deletedata": return [try Deletion(library, mailbox, talk, chat).ask()]
        default: return [talk.say(.help)]
        }
    }

    private func changeMode(_ mode: String, _ chat: ImageRegistry.ChatRow, _ talk: Talk) throws -> Outgoing {
        guard ["default", "formal", "artistic"].contains(mode) else { return talk.say(.modes, ["mode": chat.mode]) }
        try library.registry().setMode(mode, ofChat: chat.id)
        return talk.say(.mode, ["mode": mode])
    }

    /// The rows of who speaks.
    func row(_ talk: Talk) throws -> ImageRegistry.ChatRow {
        try library.registry().chat(talk.chat.id, type: talk.chat.type, title: talk.chat.title, of: talk.row)
    }

    // MARK: Pictures

    private func take(_ message: Message, _ talk: Talk) async throws -> Reaction {
        let chat = try await blocking { try row(talk) }
        if chat.mode == "artistic", message.media_group_id == nil { try await showWork(in: talk.chat.id) }
        let taken = try await PictureIntake(api: api, library: library, rules: rules).take(message, chat, talk)
        switch taken {
        case .refused(let key, let places): return Reaction([talk.say(key, places)])
        case .kept(let image, let earlier):
            return try await blocking {
                if rules.embeds(chat.mode) { try? library.embed(image) }
                if let album = message.media_group_id {
                    let context = AlbumContext(talk, chat, message)
                    return Reaction(album: .init(name: album, image: image, context: try context.data))
                }
                var replies = earlier.map { [talk.say(.again, ["date": talk.texts.day($0)])] } ?? []
                let answers = LibraryAnswers(library: library, talk: talk, chat: chat)
                if chat.mode == "artistic" { replies += try answers.similar(to: image) }
                return Reaction(replies.isEmpty ? [talk.say(.kept)] : replies)
            }
        }
    }

    /// Has Telegram show that the bot is at it; by the outbox, as everything that goes to a chat.
    private func showWork(in chat: Int64) async throws {
        var outgoing = Outgoing(chat: chat)
        outgoing.action = "typing"
        let body = try outgoing.data
        try await blocking { try mailbox.send(body, to: chat, now: Date().timeIntervalSince1970) }
    }

    /// What looks like the picture that a message answers; one that is not there yet is taken first.
    private func similar(to message: Message, _ talk: Talk) async throws -> Reaction {
        guard let replied = message.reply_to_message?.value, PictureFile(replied, rules) != nil else {
            return Reaction([talk.say(.replyToPicture)])
        }
        let chat = try await blocking { try row(talk) }
        let intake = PictureIntake(api: api, library: library, rules: rules)
        // What the bot itself has shown is nobody's new picture.
        let isOwn = replied.from?.id == me.id
        switch try await isOwn ? intake.find(replied, chat) : intake.take(replied, chat, talk) {
        case .refused(let key, let places): return Reaction([talk.say(key, places)])
        case .kept(let image, _):
            return try await blocking {
                try? library.embed(image)
                return Reaction(try LibraryAnswers(library: library, talk: talk, chat: chat).similar(to: image))
            }
        }
    }

    // MARK: Buttons

    private func react(to callback: CallbackQuery) throws -> Reaction {
        guard let message = callback.message else { return Reaction() }
        let talk = Talk(chat: message.chat, person: callback.from, messageID: nil)
        var answer = Outgoing(chat: message.chat.id)
        answer.callback = callback.id
        let isAdmitted =
            try rules.allows(person: callback.from.id, chat: message.chat.id)
            || rules.isForOwner && mailbox.fact("owner") == "\(callback.from.id)"
        guard isAdmitted, let press = Press(callback.data ?? "") else {
            answer.text = talk.texts(.notYours)
            return Reaction([answer])
        }
        let chat = try row(talk)
        let answers = LibraryAnswers(library: library, talk: talk, chat: chat)
        switch press {
        case .similar(let image, let inChat, let offset):
            return Reaction([answer] + (try answers.similar(to: image, onlyHere: inChat, offset: offset)))
        case .gallery(let before): return Reaction([answer] + (try answers.gallery(before: before)))
        case .deleteAll(let person):
            guard person == callback.from.id else {
                answer.text = talk.texts(.notYours)
                return Reaction([answer])
            }
            return Reaction([answer, try Deletion(library, mailbox, talk, chat).deleteAll()])
        case .keep: return Reaction([answer, talk.say(.keptAll)])
        }
    }
}
