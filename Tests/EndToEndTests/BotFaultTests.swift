import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The bot, where Telegram or people are difficult")
    struct BotFaultTests {
        @Test("waits as long as Telegram wants before it writes to that chat, and writes to others meanwhile")
        func tooMany() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    try bot.telegram.control("faults", ["script": ["sendMessage": ["4294", "4291"]]])
                    let start = ContinuousClock.now
                    try bot.say("/start")
                    Thread.sleep(forTimeInterval: 1)
                    try bot.say("/start", from: 8)
                    let first = try bot.answers(1)[0]
                    #expect(first.chat == 8 && ContinuousClock.now - start < .seconds(4.2))
                    #expect(try bot.answers(2)[1].chat == 7)
                    #expect((try bot.telegram.control("state")["early"] as? [any Sendable])?.isEmpty == true)
                }
            }
        }

        @Test("survives errors, silence, half answers and pages in the place of answers, and answers everything")
        func trouble() throws {
            try withLibrary { library in
                let script: [String: [String]] = [
                    "getUpdates": ["500", "half", "html", "4291"], "getFile": ["500", "html", "half", "4291"],
                    "file": ["half", "html"], "sendMessage": ["500", "half", "html"],
                ]
                try library.withBot { bot in
                    try bot.telegram.control("faults", ["script": script])
                    for number in 1...3 { try bot.say(photo: number) }
                    let answers = try bot.answers(3)
                    #expect(answers.allSatisfy { $0.text == "Kept." })
                    Thread.sleep(forTimeInterval: 1)
                    #expect(
                        try bot.telegram.sent().count <= 4,
                        "half an answer to sendMessage may be asked for once more"
                    )
                    #expect(try bot.images == 3)
                }
            }
        }

        @Test("says what is wrong with a file: too large, no picture, damaged, gone; follows no redirect")
        func files() throws {
            try withLibrary { library in
                try library.withBot(with: ["MAX_IMAGE_BYTES": "1000000"]) { bot in
                    let picture = try bot.picture(1)
                    try library.write(Array("<svg/>".utf8), "x.svg")
                    try library.write(Array(JPEGWriter.picture(2).prefix(500)), "half.jpg")
                    let svg = library.folder.appending("x.svg").string
                    let half = library.folder.appending("half.jpg").string
                    let kinds = "I take pictures of these kinds: jpg, jpeg, png, webp, gif."
                    let large = "The file is too large: at most 1 MB."
                    for (more, answer) in [
                        (["document": picture, "size": 1_000_001], large),
                        (["photo": picture, "size": 2_000_000], nil),
                        (["document": picture, "file_name": "a.pdf"], kinds),
                        (["document": svg, "file_name": "a.jpg"], kinds),
                        (["document": half], "This picture cannot be read; it was not kept."),
                        (["document": try bot.picture(3), "file_name": "../../../etc/x.jpg"], "Kept."),
                    ] as [([String: any Sendable], String?)] {
                        let said = try bot.answer(to: "", more)
                        #expect(answer == nil || said == answer, "\(more) \(said)")
                    }
                    let before = try bot.images
                    try bot.telegram.control("faults", ["script": ["file": ["long"]]])
                    #expect(try bot.answer(to: "", ["photo": bot.picture(8), "size": 10]) == large)
                    try bot.telegram.control("faults", ["script": ["file": ["redirect"]]])
                    #expect(try bot.answer(to: "", ["photo": bot.picture(9)]) == "Kept.")
                    try bot.telegram.control("faults", ["script": ["getFile": ["4292"]]])
                    try bot.say(photo: 10)
                    try bot.telegram.control("forget", ["kind": "photo"])
                    let gone = "Telegram does not give this file any more. Send it again, please."
                    let count = try bot.telegram.sent().count
                    #expect(try bot.answers(1, after: count)[0].text == gone)
                    #expect(try bot.images == before + 1)
                    let raw = try FileManager.default.contentsOfDirectory(
                        atPath: library.folder.appending("data/raw").string
                    )
                    #expect(raw.allSatisfy { $0.hasPrefix("AgAC") && !$0.hasSuffix(".part") })
                }
            }
        }

        @Test("answers each update once: twice delivered ones, and others whose numbers begin anew")
        func duplicates() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    try bot.say("/start", ["copies": 3])
                    _ = try bot.answers(1)
                    try bot.telegram.control("numbers", ["next": 5])
                    for _ in 1...3 { try bot.say("/help") }
                    let answers = try bot.answers(4)
                    #expect(answers.filter { $0.text.hasPrefix("Send me") }.count == 1)
                    // The number of the first one, for another.
                    try bot.telegram.control("numbers", ["next": 1000])
                    try bot.say("/mode")
                    #expect(try bot.answers(5)[4].text.hasPrefix("The mode is"))
                    Thread.sleep(forTimeInterval: 1)
                    #expect(try bot.telegram.sent().count == 5)
                }
            }
        }

        @Test("closes what will never arrive, and goes on")
        func undeliverable() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    try bot.telegram.control("block", ["chat": 8])
                    try bot.say("/start", from: 8)
                    try bot.say("/start")
                    #expect(try bot.answers(1)[0].chat == 7)
                    let state = try bot.telegram.control("state")
                    #expect((state["counts"] as? [String: Int])?["sendMessage"] == 2)
                }
            }
        }

        @Test("takes odd updates, texts and names for what they are")
        func oddUpdates() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    for odd in [
                        #"{"message":{"message_id":"x"}}"#, #"{"poll":{"id":1}}"#, #"{"message":{}}"#, "{}",
                        #"{"callback_query":{"id":"1","from":{"id":7}}}"#,
                    ] {
                        let update = try JSONSerialization.jsonObject(with: Data(odd.utf8))
                        try bot.telegram.control("raw", update as? [String: any Sendable] ?? [:])
                    }
                    let texts = [
                        "<b>&amp;<script>alert(1)</script>", "*_[`", "\u{202E}gpj.", "a\u{0}b",
                        String(repeating: "ж", count: 4096),
                        "/search <b>\u{0}*_", "/mode ../../etc", "'; DROP TABLE images; --",
                    ]
                    for text in texts { _ = try bot.answer(to: text) }
                    let caption: [String: any Sendable] = ["photo": try bot.picture(1), "name": "<i>\u{202E}&;--"]
                    #expect(try bot.answer(to: "<b>*'", caption) == "Kept.")
                    try bot.press("x:1")
                    try bot.press("s:1:0:0:;")
                    let presses = try bot.answers(2, after: texts.count + 1)
                    #expect(presses.allSatisfy { $0.text == "This button is not for you." })
                    #expect(try bot.images == 1)
                }
            }
        }

        @Test("ends where Telegram does not know it or another takes its updates, and says which")
        func sentAway() throws {
            try withLibrary { library in
                let telegram = try TelegramSimulator(in: library.folder)
                defer { try? telegram.stop() }
                let unknown = library.botSettings(telegram, ["TELEGRAM_BOT_TOKEN": "1:CANARY-unknown-unknown-unknown"])
                let refused = try library.run("bot", with: unknown)
                #expect(refused.status == 77 && refused.errors.contains("401"), "\(refused.errors)")
                #expect(try telegram.control("state")["counts"] as? [String: Int] ?? [:] == ["unauthorized": 1])
                try telegram.control("webhook", ["url": "https://example.org/telegram"])
                let settings = library.botSettings(telegram)
                let conflict = try library.run("bot", with: settings)
                #expect(conflict.status == 75 && conflict.errors.contains("--take-over"), "\(conflict.errors)")
                let bot = try library.start(["bot", "--take-over"], with: settings)
                defer { bot.signal(SIGKILL) }
                let run = BotRun(library: library, telegram: telegram)
                #expect(try run.answer(to: "/start").hasPrefix("Send me"))
                let second = try library.run("bot", with: settings)
                #expect(second.status == 75 && second.errors.contains("answers Telegram"), "\(second.errors)")
                let elsewhere = settings.merging(["SEMBLANCE_INBOX": "other.db"]) { $1 }
                let third = try library.start(["bot"], with: elsewhere)
                let outcome = try bot.wait(atMost: .seconds(60))
                #expect(outcome.status == 75 && outcome.errors.contains("Another program polls"), "\(outcome.errors)")
                third.signal(SIGTERM)
                _ = try third.wait(atMost: .seconds(20))
                #expect(!(refused.errors + conflict.errors + second.errors + outcome.errors).contains("CANARY"))
            }
        }

        @Test("gives up a file that drips, and a message that is never answered, and goes on with both chats")
        func drip() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    let silence = Array(repeating: "done-hang", count: 3)
                    try bot.telegram.control("faults", ["script": ["file": ["drip"], "sendMessage": silence]])
                    try bot.say(photo: 1)
                    try bot.say("/start", from: 8)
                    try bot.say("/mode", from: 8)
                    let sent = try bot.answers(5, within: .seconds(150))
                    #expect(sent.filter { $0.text.hasPrefix("Send me") }.count == 3, "\(sent.map(\.text))")
                    #expect(sent.contains { $0.text.hasPrefix("The mode is") } && sent.contains { $0.text == "Kept." })
                }
            }
        }

        @Test("says what is wrong with its settings, without the token")
        func settings() throws {
            try withLibrary { library in
                for (more, words) in [
                    (["TELEGRAM_BOT_TOKEN": ""], "TELEGRAM_BOT_TOKEN"), (["TELEGRAM_BOT_TOKEN": "CANARY"], "no token"),
                    (["TELEGRAM_API_BASE": "http://example.org"], "https://"),
                    (["TELEGRAM_ALLOWED_USERS": "7,x"], "TELEGRAM_ALLOWED_USERS"),
                    (["MAX_IMAGE_BYTES": "0"], "MAX_IMAGE_BYTES"),
                    (["SEMBLANCE_BOT_RATE": "many"], "SEMBLANCE_BOT_RATE"),
                    (["TELEGRAM_WEBHOOK_URL": "https://example.org/telegram"], "TELEGRAM_WEBHOOK_SECRET"),
                    (
                        [
                            "TELEGRAM_WEBHOOK_URL": "http://example.org/telegram",
                            "TELEGRAM_WEBHOOK_SECRET": "0123456789abcdef0123",
                        ], "https://HOST/telegram"
                    ),
                ] as [([String: String], String)] {
                    for command in [["bot"], ["serve", "--bot", "--address", "127.0.0.1:0"]] {
                        let settings = BotRun.settings.merging(more) { $1 }
                        let outcome = try library.start(command, with: settings).wait(atMost: .seconds(20))
                        #expect(outcome.status == 64 && outcome.errors.contains(words), "\(more) \(outcome.errors)")
                        #expect(!outcome.errors.contains("CANARY"))
                    }
                }
                #expect(try !library.run("doctor", with: BotRun.settings).output.contains("CANARY"))
            }
        }

        @Test("answers beside the server, by a webhook that wants its secret, and shows in /health how it is")
        func webhook() throws {
            try withLibrary { library in
                let telegram = try TelegramSimulator(in: library.folder)
                defer { try? telegram.stop() }
                let secret = "0123456789abcdef0123"
                let settings = library.botSettings(
                    telegram,
                    [
                        "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram", "TELEGRAM_WEBHOOK_SECRET": secret,
                    ]
                )
                let server = try library.start(["serve", "--bot", "--address", "127.0.0.1:0"], with: settings)
                defer { server.signal(SIGKILL) }
                try waitUntil { server.errorsSoFar.contains("port ") || !server.isRunning }
                let port = try #require(server.errorsSoFar.firstMatch(of: /port (\d+)\./).flatMap { Int($0.1) })
                func check() throws -> String? {
                    (try library.ask(port, "/health").body["checks"] as? [String: any Sendable])?["telegram"] as? String
                }
                try waitUntil { try check() == "ok" }
                let local = "http://127.0.0.1:\(port)/telegram"
                try telegram.control("webhook", ["local": local, "host": "bot.example.org"])
                let run = BotRun(library: library, telegram: telegram)
                try run.say("/start", ["copies": 2])
                #expect(try run.answers(1)[0].text.hasPrefix("Send me"))
                for number in 1...2 { try run.say(photo: number) }
                _ = try run.answers(3)
                let script = """
                    import sys, urllib.request, urllib.error
                    def post(secret, body, kind='application/json'):
                        heads = {'Content-Type': kind, 'Host': 'bot.example.org'}
                        if secret: heads['X-Telegram-Bot-Api-Secret-Token'] = secret
                        try: return urllib.request.urlopen(urllib.request.Request(sys.argv[1], body, heads), timeout=20).status
                        except urllib.error.HTTPError as error: return error.status
                    good, update = sys.argv[2], b'{"update_id": 1}'
                    print(post(None, update), post('wrong' * 5, update), post(good, b'no'), post(good, update, 'text/plain'),
                          post(good, b'[' * 300000), post(good, update), post(good, b'{"update_id":2,"message":' + b'[' * 9000))
                    """
                let outcome = try library.startTool(["python3", "-c", script, local, secret]).wait()
                #expect(outcome.output == "401 401 400 400 413 200 400\n", "\(outcome.output)\(outcome.errors)")
                #expect(try telegram.sent().count == 3)
                #expect(!server.errorsSoFar.contains("CANARY"))
                #expect(try !library.holds("CANARY") && !library.holds(secret))
                server.signal(SIGTERM)
                #expect(try server.wait(atMost: .seconds(20)).status == 0)
            }
        }
    }
}
