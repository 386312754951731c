package import Catalog
import Foundation
import ServiceLifecycle

/// The running bot: takes updates in, answers them, sends the answers; each in a loop of its own.
package struct TelegramBot: Service {
    private let api: BotAPI
    private let mailbox: Mailbox
    private let library: BotLibrary
    private let rules: BotRules
    private let way: Way
    private let state: BotState
    private let say: @Sendable (String) -> Void

    /// How updates come.
    package enum Way: Sendable, Equatable {
        case polling(takesOver: Bool)
        /// Telegram calls an address, and proves itself by a secret.
        case webhook(url: String, secret: String)
    }

    package init(
        _ api: BotAPI,
        _ mailbox: Mailbox,
        _ library: BotLibrary,
        rules: BotRules,
        way: Way,
        state: BotState,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.api = api
        self.mailbox = mailbox
        self.library = library
        self.rules = rules
        self.way = way
        self.state = state
        self.say = say
    }

    private static let clock: @Sendable () -> Double = { Date().timeIntervalSince1970 }

    /// Works until it is told to stop, or Telegram sends it away.
    ///
    /// - Throws: `BotError` with `.unauthorized` or `.conflict`.
    package func run() async throws {
        let end = await cancelWhenGracefulShutdown { await self.workOn() }
        await api.shutdown()
        guard let end else { return }
        state.end("\(end)")
        throw end
    }

    /// Works again where a database could not be used for a while.
    ///
    /// - Returns: Why it ends; `nil` where it was told to.
    private func workOn() async -> (any Error)? {
        while !Task.isCancelled {
            do {
                try await work()
            } catch let error as CatalogError where Self.passing.contains(error.code) && !Task.isCancelled {
                say("The bot rests for a while: \(error)")
                state.isConnected = false
                try? await Task.sleep(for: Self.rest)
            } catch {
                return Task.isCancelled ? nil : error
            }
        }
        return nil
    }

    private static let passing: Set<CatalogError.Code> = [.locked, .unfinished, .cannotWrite]
    private static let rest = Duration.seconds(10)

    private func work() async throws {
        let me = try await introduce()
        try offerCode(me)
        say("@\(me.username ?? "\(me.id)") answers on Telegram.")
        let clock = Self.clock
        let conversation = Conversation(
            api: api,
            library: library,
            rules: rules,
            mailbox: mailbox,
            me: me,
            say: say
        )
        let processing = Processing(
            mailbox: mailbox,
            conversation: conversation,
            allowance: Allowance(perMinute: rules.perMinute),
            clock: clock,
            say: say
        )
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.receive() }
            group.addTask { try await processing.run() }
            group.addTask { try await Delivery(api: api, mailbox: mailbox, library: library, clock: clock).run() }
            group.addTask {
                try await AlbumAnswering(mailbox: mailbox, library: library, clock: clock, say: say).run()
            }
            group.addTask { try await self.tidy() }
        }
    }

    /// Waits until Telegram answers, and says hello.
    private func introduce() async throws -> User {
        var backoff = Backoff()
        while true {
            do {
                let me = try await api.getMe()
                try await showMenu()
                return me
            } catch let error as BotError where error.code == .unavailable || error.code == .tooMany {
                try await Task.sleep(for: .seconds(error.wait.map { $0 + 0.5 } ?? backoff.next()))
            }
        }
    }

    /// Shows the commands in every language; a server that has no menus does without.
    private func showMenu() async throws {
        for (code, texts) in Texts.languages.sorted(by: { $0.key < $1.key }) {
            do {
                try await api.setMyCommands(texts.menu, language: code == "en" ? nil : code)
            } catch let error as BotError where error.code == .refused {
                return
            }
        }
    }

    /// A bot without lists and owner belongs to whoever sends it the code that is printed here.
    private func offerCode(_ me: User) throws {
        guard rules.isForOwner, try mailbox.fact("owner") == nil else { return }
        let code = try mailbox.fact("code") ?? UUID().uuidString.lowercased()
        try mailbox.keepFact("code", code)
        say("The bot has no owner yet. Send it from your Telegram: /start \(code)")
    }

    private func receive() async throws {
        switch way {
        case .polling(let takesOver):
            try await Polling(api: api, intake: intake, state: state, takesOver: takesOver, say: say).run()
        case .webhook(let url, let secret):
            try await setWebhook(url, secret)
            try await Task.sleep(for: .seconds(1_000_000_000))
        }
    }

    private func setWebhook(_ url: String, _ secret: String) async throws {
        var backoff = Backoff()
        while true {
            do {
                try await api.setWebhook(url: url, secret: secret)
                return state.isConnected = true
            } catch let error as BotError where error.code == .unavailable || error.code == .tooMany {
                try await Task.sleep(for: .seconds(error.wait.map { $0 + 0.5 } ?? backoff.next()))
            }
        }
    }

    private var intake: Intake {
        Intake(
            mailbox: mailbox,
            refusal: { update in
                guard let message = update.message, message.chat.isPrivate, let person = message.from else {
                    return nil
                }
                return Talk(chat: message.chat, person: person, messageID: message.message_id).say(.full)
            },
            clock: Self.clock
        )
    }

    /// Keeps an update that came to the webhook.
    ///
    /// - Returns: Whether it is an update.
    package func receive(_ body: [UInt8]) throws -> Bool {
        guard let update = try? JSONDecoder().decode(BotAPI.RawUpdate.self, from: Data(body)) else { return false }
        try intake.keep([update])
        return true
    }

    private func tidy() async throws {
        while !Task.isCancelled {
            try? mailbox.tidy(now: Self.clock())
            try await Task.sleep(for: .seconds(3600))
        }
    }
}
