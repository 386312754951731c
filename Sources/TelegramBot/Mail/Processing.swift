import Catalog
import Foundation

/// Answers what is in the inbox: the updates of one chat in their order, those of different chats side by side.
struct Processing: Sendable {
    let mailbox: Mailbox
    let conversation: Conversation
    let allowance: Allowance
    let clock: @Sendable () -> Double
    let say: @Sendable (String) -> Void

    /// Chats that are answered at once.
    private static let width = 4
    /// So often an update is tried while Telegram does not answer: with the waits between, about half an hour.
    private static let mostUnanswered = 40

    func run() async throws {
        try await Lanes(width: Self.width) { busy in
            try mailbox.nextUpdate(exceptOf: busy, now: clock()).map { ($0.chat, $0) }
        } work: { update in
            try await process(update)
        }.run()
    }

    private func process(_ waiting: Mailbox.WaitingUpdate) async throws {
        guard let update = try? JSONDecoder().decode(Update.self, from: waiting.body) else {
            return try mailbox.finish(waiting, replies: [], now: clock())
        }
        if waiting.attempts == 0, case .wait(let wait, let isNews) = allowance.take(waiting.person, now: clock()) {
            let talk = Self.talk(update)
            let replies = try isNews ? talk.map { [try $0.say(.slow).data] } ?? [] : []
            return try mailbox.postpone(waiting, until: clock() + wait, replies: replies, now: clock())
        }
        do {
            let reaction = try await conversation.react(to: update)
            let replies = try reaction.replies.map { try $0.data }
            try mailbox.finish(waiting, replies: replies, album: reaction.album, now: clock())
        } catch {
            try put(waiting, update, after: error)
        }
    }

    private static func talk(_ update: Update) -> Talk? {
        if let message = update.message, let person = message.from {
            return Talk(chat: message.chat, person: person, messageID: message.message_id)
        }
        return update.callback_query.flatMap { query in
            query.message.map { Talk(chat: $0.chat, person: query.from, messageID: nil) }
        }
    }

    /// Whose fault it was decides what becomes of an update.
    private func put(_ waiting: Mailbox.WaitingUpdate, _ update: Update, after error: any Error) throws {
        let now = clock()
        var backoff = Backoff(attempts: waiting.attempts)
        switch error {
        case let error as BotError where error.code == .unauthorized || error.code == .conflict: throw error
        case let error as BotError where error.code == .tooMany:
            try mailbox.postpone(waiting, until: now + (error.wait ?? 1) + .random(in: 0.1...0.5), now: now)
        case is CancellationError: return
        case let error as CatalogError where [.locked, .unfinished, .cannotWrite].contains(error.code):
            say("Messages wait: \(error)")
            try mailbox.postpone(waiting, until: now + 2, now: now)
        default:
            let isTelegram = (error as? BotError)?.code == .unavailable
            let reply = try Self.talk(update).map { try $0.say(.failed).data }
            let isDead = try mailbox.fail(
                waiting,
                reason: "\(error)",
                reply: reply,
                retryAt: now + backoff.next(),
                mostAttempts: isTelegram ? Self.mostUnanswered : Mailbox.mostAttempts,
                now: now
            )
            if isDead { say("An update was given up: \(error)") }
        }
    }
}
