import Foundation
import SystemPackage
import TestSupport
import Testing

/// A bot that runs, and the Telegram that it talks to.
struct BotRun {
    let library: Library
    let telegram: TelegramSimulator

    /// Somebody sends a message.
    @discardableResult
    func say(
        _ text: String? = nil,
        from person: Int = 7,
        in chat: Int? = nil,
        photo: Int? = nil,
        _ more: [String: any Sendable] = [:]
    ) throws -> Int {
        var what: [String: any Sendable] = ["chat": chat ?? person, "from": person]
        if let text { what[photo == nil && more["document"] == nil ? "text" : "caption"] = text }
        if let photo { what["photo"] = try picture(photo) }
        return try telegram.control("say", what.merging(more) { $1 })["message_id"] as? Int ?? 0
    }

    /// A picture's file, outside of the library.
    func picture(_ number: Int) throws -> String {
        let path = "outside-\(number).jpg"
        try library.write(JPEGWriter.picture(number, width: 900, height: 600), path)
        return library.folder.appending(path).string
    }

    func press(_ data: String, from person: Int = 7, in chat: Int? = nil) throws {
        try telegram.control("press", ["chat": chat ?? person, "from": person, "data": data])
    }

    /// Waits for a message of the bot that has not been seen, and gives it with those before.
    func answers(_ count: Int, after earlier: Int = 0, within limit: Duration = .seconds(60)) throws
        -> [TelegramSimulator.Sent]
    {
        let start = ContinuousClock.now
        while true {
            let sent = try telegram.sent()
            if sent.count >= earlier + count { return Array(sent.dropFirst(earlier)) }
            guard ContinuousClock.now - start < limit else {
                throw TestSupportError("\(sent.count - earlier) of \(count) answers came: \(sent.map(\.text))")
            }
            usleep(50_000)
        }
    }

    /// The text of the next answer to what is said.
    func answer(to text: String, from person: Int = 7, in chat: Int? = nil, _ more: [String: any Sendable] = [:]) throws
        -> String
    {
        let before = try telegram.sent().count
        try say(text, from: person, in: chat, more)
        return try answers(1, after: before).first?.text ?? ""
    }

    var images: Int {
        get throws { try library.bot.value("SELECT count(*) FROM images") ?? 0 }
    }

    static let settings = [
        "TELEGRAM_BOT_TOKEN": TelegramSimulator.token, "TELEGRAM_ALLOWED_USERS": "7,8", "SEMBLANCE_BOT_RATE": "100000",
    ]
}

extension Library {
    /// Settings for a bot that talks to a simulator.
    func botSettings(_ telegram: TelegramSimulator, _ more: [String: String] = [:]) -> [String: String] {
        BotRun.settings.merging(["TELEGRAM_API_BASE": telegram.endpoint]) { $1 }.merging(more) { $1 }
    }

    /// A bot that runs until the body is done; nothing that it says or leaves behind may show its token.
    func withBot(
        with settings: [String: String] = [:],
        command: [String] = ["bot"],
        _ body: (BotRun) throws -> Void
    ) throws {
        let telegram = try TelegramSimulator(in: folder)
        defer { try? telegram.stop() }
        let bot = try start(command, with: botSettings(telegram, settings))
        do {
            try waitUntil { bot.errorsSoFar.contains("answers on Telegram") || !bot.isRunning }
            try body(BotRun(library: self, telegram: telegram))
        } catch {
            bot.signal(SIGKILL)
            let outcome = try? bot.wait()
            throw TestSupportError("\(error)\n\(outcome?.errors ?? "")")
        }
        bot.signal(SIGTERM)
        let outcome = try bot.wait(atMost: .seconds(20))
        #expect(outcome.status == 0 && outcome.errors.hasSuffix("Stopped.\n"), "\(outcome.status) \(outcome.errors)")
        #expect(!(outcome.errors + outcome.output).contains("CANARY"))
        #expect(try !holds("CANARY"))
    }

    /// Whether a file of the library's folder has a word in it.
    func holds(_ word: String) throws -> Bool {
        try FileManager.default.subpathsOfDirectory(atPath: folder.string).contains { name in
            FileManager.default.contents(atPath: folder.pushing(FilePath(name)).string)?
                .range(of: Data(word.utf8)) != nil
        }
    }
}
