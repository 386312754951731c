import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    /// `SEMBLANCE_STORM_UPDATES` and `SEMBLANCE_STORM_KILLS` make it longer: `make bot-storm`.
    @Suite("The bot in a storm")
    struct BotStormTests {
        private func number(_ name: String, otherwise value: Int) -> Int {
            ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? value
        }

        @Test("loses no update and makes no row twice, however often it is killed and whatever Telegram does")
        func storm() throws {
            let updates = number("SEMBLANCE_STORM_UPDATES", otherwise: 300)
            let kills = number("SEMBLANCE_STORM_KILLS", otherwise: 10)
            try withLibrary { library in
                let telegram = try TelegramSimulator(in: library.folder)
                defer { try? telegram.stop() }
                let people = 40
                let settings = library.botSettings(
                    telegram,
                    [
                        "TELEGRAM_ALLOWED_USERS": (100..<(100 + people)).map(String.init).joined(separator: ","),
                        "SEMBLANCE_AUTO_EMBED": "all",
                    ]
                )
                try telegram.control(
                    "faults",
                    ["share": ["429": 0.05, "500": 0.05, "hang": 0.01, "done-hang": 0.01], "seed": 7]
                )
                try FileManager.default.createDirectory(
                    atPath: library.folder.appending("sent").string,
                    withIntermediateDirectories: true
                )
                // Each person sends pictures, no two alike, and words.
                let all = try (0..<updates).map { index -> [String: any Sendable] in
                    let person = 100 + index % people
                    var what: [String: any Sendable] = [
                        "chat": person, "from": person, "copies": index % 10 == 0 ? 2 : 1,
                    ]
                    if index % 2 == 0 {
                        try library.write(JPEGWriter.picture(index), "sent/\(index).jpg")
                        what["photo"] = library.folder.appending("sent/\(index).jpg").string
                        what["unique"] = "AQADstorm\(index)"
                        what["date"] = 1_700_000_000 + index
                    } else {
                        what["text"] = "/help"
                    }
                    return what
                }
                var random = SeededGenerator(seed: 11)
                var killed = 0
                for part in stride(from: 0, to: updates, by: max(1, updates / (kills + 1))) {
                    let end = min(updates, part + max(1, updates / (kills + 1)))
                    try telegram.control("batch", ["items": Array(all[part..<end])])
                    guard killed < kills else { continue }
                    let bot = try library.start(["bot"], with: settings)
                    Thread.sleep(forTimeInterval: .random(in: 0.2...2, using: &random))
                    bot.signal(SIGKILL)
                    _ = try bot.wait()
                    killed += 1
                }
                let bot = try library.start(["bot"], with: settings)
                let inbox = library.folder.appending("data/semblance-inbox.db")
                func waiting() throws -> Int {
                    try library.number(
                        "SELECT (SELECT count(*) FROM updates WHERE state = 'waiting') + (SELECT count(*) FROM messages)",
                        in: inbox
                    )
                }
                try waitUntil(.seconds(900)) {
                    Thread.sleep(forTimeInterval: 0.5)
                    return try telegram.control("state")["waiting"] as? Int ?? 1 <= 100 && waiting() == 0
                        && library.number("SELECT count(*) FROM updates", in: inbox) == updates
                }
                bot.signal(SIGTERM)
                _ = try bot.wait(atMost: .seconds(20))
                try telegram.control("faults", [:])
                let state = try telegram.control("state")
                #expect((state["early"] as? [any Sendable])?.isEmpty == true, "\(state["early"] ?? "")")
                let dead = try library.number("SELECT count(*) FROM updates WHERE state <> 'done'", in: inbox)
                #expect(dead == 0)
                let sent = try telegram.sent()
                #expect(
                    !sent.contains { $0.text.hasPrefix("You sent this before") },
                    "an update of its own is no repetition"
                )
                let replies = sent.compactMap(\.replyTo)
                #expect(Set(replies).count == updates, "every update has an answer")
                // Beside a kill, a message that Telegram took without an answer may lead to one more.
                let lost = state["lost"] as? Int ?? 0
                #expect(replies.count - updates <= kills + lost, "\(replies.count - updates) answers too many")
                let twice = "SELECT count(*) - count(DISTINCT chat_id || ' ' || original_path) FROM images"
                #expect(try library.bot.value(twice) == 0)
                #expect(try library.integrity() == ["ok", "ok"])
                #expect(try library.run("generate", "--all-users").status == 0)
                #expect(try library.run("verify").status == 0)
                #expect(try !library.holds("CANARY"))
                print(
                    "storm: \(updates) updates, \(killed) kills, \(replies.count - updates) answers twice, \(lost) lost by Telegram"
                )
            }
        }
    }
}
