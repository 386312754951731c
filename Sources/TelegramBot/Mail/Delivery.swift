import Catalog
import Foundation

/// Sends what is in the outbox: each chat's messages in their order, and none before Telegram wants it.
struct Delivery: Sendable {
    let api: BotAPI
    let mailbox: Mailbox
    let library: BotLibrary
    let clock: @Sendable () -> Double

    /// One message is on its way at a time, so that a program that is killed leaves one at most of which it does not know
    /// whether it arrived; what Telegram does not answer at once holds up nobody else.
    private static let width = 1
    private static let hurry = Duration.seconds(2)
    /// What Telegram is given beyond the time that it asks for, in seconds.
    private static let courtesy = 0.1...0.5
    /// So often a message is sent that may have arrived each time.
    private static let mostUnanswered = 3

    func run() async throws {
        try await Lanes(width: Self.width, patience: Self.hurry) { busy in
            try mailbox.nextMessage(exceptTo: busy, now: clock()).map { ($0.chat, $0) }
        } work: { message in
            try await deliver(message)
        }.run()
    }

    private func deliver(_ message: Mailbox.WaitingMessage) async throws {
        guard let outgoing = try? JSONDecoder().decode(Outgoing.self, from: message.body) else {
            return try mailbox.close(message, reason: "the message cannot be read")
        }
        do {
            try mailbox.claim(message, now: clock())
            let sent = try await send(outgoing)
            try mailbox.sent(message, album: outgoing.album.flatMap { name in sent.map { (name, $0) } })
        } catch let error as BotError {
            try react(to: error, message, isWorthless: outgoing.action != nil)
        }
    }

    private func react(to error: BotError, _ message: Mailbox.WaitingMessage, isWorthless: Bool) throws {
        let now = clock()
        defer { if isWorthless { try? mailbox.sent(message) } }
        switch error.code {
        case .unauthorized, .conflict: throw error
        case .tooMany:
            let until = now + (error.wait ?? 1) + .random(in: Self.courtesy)
            try mailbox.pause(message, until: until)
        case .unavailable where error.isMaybeDone && message.unanswered + 1 >= Self.mostUnanswered:
            try mailbox.close(message, reason: "sent \(Self.mostUnanswered) times without an answer: \(error)")
        case .unavailable:
            var backoff = Backoff(attempts: message.attempts)
            try mailbox.retry(message, at: now + backoff.next(), isMaybeSent: error.isMaybeDone)
        default: try mailbox.close(message, reason: "\(error)")
        }
    }

    private struct Sent: Decodable, Sendable {
        let message_id: Int64
    }

    /// - Returns: Telegram's id of the message.
    private func send(_ outgoing: Outgoing) async throws -> Int64? {
        if let callback = outgoing.callback {
            let answer = CallbackAnswer(callback_query_id: callback, text: outgoing.text)
            let _: Bool = try await api.call("answerCallbackQuery", answer)
            return nil
        }
        if let action = outgoing.action {
            try await api.sendChatAction(action, to: outgoing.chat)
            return nil
        }
        if !outgoing.pictures.isEmpty { return try await PictureSending(outgoing, api, library).send() }
        let body = TextMessage(outgoing)
        let sent: Sent = try await api.call(outgoing.edits == nil ? "sendMessage" : "editMessageText", body)
        return sent.message_id
    }

    private struct CallbackAnswer: Encodable, Sendable {
        let callback_query_id: String
        let text: String?
    }

    private struct TextMessage: Encodable, Sendable {
        let chat_id: Int64
        let text: String
        let message_id: Int64?
        let reply_parameters: ReplyParameters?
        let reply_markup: Keyboard?

        init(_ outgoing: Outgoing) {
            chat_id = outgoing.chat
            text = String((outgoing.text ?? "").prefix(4000))
            message_id = outgoing.edits
            reply_parameters = outgoing.replyTo.map { ReplyParameters(message_id: $0) }
            reply_markup = Keyboard(outgoing.buttons)
        }
    }
}

/// The message that another one answers; where it is gone meanwhile the answer comes all the same.
struct ReplyParameters: Encodable, Sendable {
    let message_id: Int64
    var allow_sending_without_reply = true
}

/// Buttons below a message.
struct Keyboard: Encodable, Sendable {
    let inline_keyboard: [[Outgoing.Button]]

    init?(_ buttons: [[Outgoing.Button]]) {
        guard !buttons.isEmpty else { return nil }
        inline_keyboard = buttons
    }
}
