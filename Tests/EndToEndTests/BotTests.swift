import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The bot on Telegram")
    struct BotTests {
        @Test("finds what was sent in default mode, once everything is embedded")
        func story() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    for number in 1...4 { try bot.say(photo: number) }
                    #expect(try bot.answers(4).map(\.text) == Array(repeating: "Kept.", count: 4))
                    #expect(try bot.answer(to: "/mode artistic") == "The mode is artistic.")
                    try bot.say(photo: 5)
                    let none = try bot.answers(1, after: 5)[0]
                    #expect(none.text == "No similar images found. 4 of your images are not embedded yet.")
                    #expect(try bot.answer(to: "/stats").contains("Can be found: 1 (20 %)\nNot embedded yet: 4"))
                    #expect(try library.run("generate", "--all-users").status == 0)
                    let twin = try bot.say(photo: 6)
                    let found = try bot.answers(2, after: 7)
                    #expect(found[0].method == "sendMediaGroup" && found[0].captions.count == 5)
                    #expect(found[0].pictures.allSatisfy { $0.hasPrefix("AgAC") } && found[0].replyTo == twin)
                    #expect(found[1].text.hasPrefix("These look alike:\n1. ") && found[1].buttons == ["s:6:1:0"])
                    let row: String? = try library.bot.value(
                        """
                        SELECT mode_used || processing_status || width || 'x' || height || format || file_size
                        FROM images WHERE id = 6
                        """
                    )
                    let size = JPEGWriter.picture(6, width: 900, height: 600).count
                    #expect(row == "artisticcompleted900x600jpg\(size)")
                    let original: String? = try library.bot.value("SELECT original_path FROM images WHERE id = 6")
                    let file = library.folder.pushing(FilePath(original ?? "none")).string
                    #expect(
                        FileManager.default.contents(atPath: file)
                            == Data(JPEGWriter.picture(6, width: 900, height: 600))
                    )
                    #expect(try library.run("verify").status == 0)
                }
            }
        }

        @Test("knows a picture that was sent before, by Telegram's name and by its bytes, and shows nobody another's")
        func again() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    for number in 1...3 { try bot.say(photo: number) }
                    _ = try bot.answers(3)
                    try library.bot.execute("UPDATE images SET created_at = '2025-05-03 10:00:00'")
                    #expect(try bot.answer(to: "", ["photo": bot.picture(1)]) == "You sent this before, on 3 May 2025.")
                    let other: [String: any Sendable] = ["photo": try bot.picture(1), "unique": "AQADother"]
                    #expect(try bot.answer(to: "", other) == "You sent this before, on 3 May 2025.")
                    #expect(try bot.images == 3)
                    #expect(try bot.answer(to: "/mode artistic", from: 8) == "The mode is artistic.")
                    let foreign = try bot.answer(to: "", from: 8, ["photo": bot.picture(1)])
                    #expect(foreign == "No similar images found: nothing is close enough.", "\(foreign)")
                    #expect(try bot.images == 4)
                    try bot.press("s:1:0:0", from: 8)
                    #expect(try bot.answers(2, after: 7).last?.text == "I do not have this picture.")
                    #expect(try bot.answer(to: "/gallery", from: 8) == "")
                    #expect(try bot.answers(2, after: 9).last?.text == "Pictures 1 to 1 of 1:")
                }
            }
        }

        @Test("answers an album once, and changes the answer where parts come late")
        func albums() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                try library.bot.execute("UPDATE users SET user_id = 7")
                try library.bot.execute("UPDATE chats SET chat_id = 7, current_mode = 'artistic'")
                #expect(try library.run("generate", "--all-users").status == 0)
                try library.withBot { bot in
                    for number in 11...13 { try bot.say(photo: number, ["album": "a"]) }
                    let first = try bot.answers(2)
                    #expect(first[0].method == "sendMediaGroup" && first[0].captions.count == 3)
                    #expect(first[1].text.hasPrefix("3 pictures kept.\nThese look alike:"))
                    for (number, delay) in [(14, 3.0), (15, 9.0)] {
                        Thread.sleep(forTimeInterval: delay)
                        try bot.say(photo: number, ["album": "a"])
                    }
                    let all = try bot.answers(4)
                    #expect(
                        all.map(\.method) == ["sendMediaGroup", "sendMessage", "editMessageText", "editMessageText"]
                    )
                    #expect(all[3].text.hasPrefix("5 pictures kept.") && all[3].edits == all[2].edits)
                    #expect(try bot.images == 8)
                }
            }
        }

        @Test("obeys commands, pages through the gallery, and deletes what it is told to")
        func commands() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    #expect(try bot.answer(to: "/start").hasPrefix("Send me pictures."))
                    let russian = try bot.answer(to: "/help", ["language": "ru"])
                    #expect(russian.hasPrefix("Пришлите картинку"))
                    #expect(try bot.answer(to: "/mode odd").hasPrefix("The mode is default. Choose"))
                    #expect(try bot.answer(to: "/similar") == "Send this as a reply to a picture.")
                    #expect(try bot.answer(to: "/search") == "Say what to look for: /search a red bicycle")
                    #expect(try bot.answer(to: "/gallery") == "There are no pictures yet.")
                    _ = try bot.answer(to: "/mode formal")
                    var messages: [Int] = []
                    for number in 1...12 { messages.append(try bot.say(photo: number)) }
                    _ = try bot.answers(19)
                    _ = try bot.answer(to: "/gallery")
                    let page = try bot.answers(2, after: 19)
                    #expect(page[0].captions.count == 10 && page[1].text == "Pictures 1 to 10 of 12:")
                    #expect(page[1].buttons == ["g:3"])
                    try bot.press("g:3")
                    let last = try bot.answers(3, after: 21)
                    #expect(last[2].text == "Pictures 11 to 12 of 12:" && last[2].buttons == ["g:13"])
                    let similar = try bot.answer(to: "/similar", ["reply_to": messages[0]])
                    #expect(similar == "")
                    #expect(try bot.answers(2, after: 24).last?.buttons == ["s:1:1:0", "s:1:0:5"])
                    try bot.press("s:1:0:5")
                    let more = try bot.answers(3, after: 26)
                    #expect(more[0].method == "answerCallbackQuery" && !more[1].pictures.isEmpty)
                    try bot.press("s:1:0:500")
                    #expect(try bot.answers(2, after: 29)[1].text == "There are no more.")
                    let raw = library.folder.appending("data/raw").string
                    func counts() throws -> [Int] {
                        let files = try FileManager.default.contentsOfDirectory(atPath: raw).count
                        return [try bot.images, files, try library.vectorCount()]
                    }
                    #expect(try bot.answer(to: "/delete", ["reply_to": messages[3]]).hasPrefix("Deleted"))
                    #expect(try counts() == [11, 11, 11])
                    #expect(try bot.answer(to: "/delete", ["reply_to": messages[3]]) == "I do not have this picture.")
                    try library.write(JPEGWriter.picture(50), "somebodys.jpg")
                    try library.bot.execute("UPDATE images SET original_path = 'somebodys.jpg' WHERE id = 9")
                    let raw9 = try FileManager.default.contentsOfDirectory(atPath: raw).count
                    #expect(try bot.answer(to: "/deletedata").hasPrefix("Delete all 11 pictures"))
                    try bot.press("d:8")
                    try bot.press("k")
                    try bot.press("d:7")
                    let end = try bot.answers(5, after: 34)
                    #expect(
                        end.last?.text == "11 pictures are deleted."
                            && end.contains { $0.text == "Nothing was deleted." }
                    )
                    #expect(try counts() == [0, raw9 - 10, 0], "what lies elsewhere stays")
                    #expect(FileManager.default.fileExists(atPath: library.folder.appending("somebodys.jpg").string))
                }
            }
        }

        @Test("listens in groups to what is said to it alone, and shows a group its own pictures")
        func groups() throws {
            try withLibrary { library in
                try library.withBot { bot in
                    for number in 1...2 { try bot.say(photo: number) }
                    _ = try bot.answers(2)
                    _ = try bot.answer(to: "/mode artistic")
                    try bot.say("hello", in: -5)
                    try bot.say(in: -5, photo: 3)
                    try bot.say("/help", in: -5)
                    try bot.say("/help@other_bot", in: -5)
                    #expect(try bot.answer(to: "/mode@semblance_bot artistic", in: -5) == "The mode is artistic.")
                    try bot.say("for @semblance_bot", in: -5, photo: 4)
                    #expect(try bot.answers(1, after: 4)[0].text.hasPrefix("No similar images found"))
                    let foreign = try bot.say("@semblance_bot", from: 8, in: -5, photo: 5)
                    let found = try bot.answers(2, after: 5)
                    #expect(found[0].method == "sendPhoto" && found[1].buttons.isEmpty)
                    #expect(try bot.answer(to: "/deletedata@semblance_bot", in: -5) == "Send this in our private chat.")
                    let deletion = try bot.answer(to: "/delete@semblance_bot", in: -5, ["reply_to": foreign])
                    #expect(deletion == "Only whoever sent a picture here can have it deleted.")
                    #expect(try bot.images == 4)
                    _ = try bot.answer(to: "", from: 99, ["photo": bot.picture(9)])
                    #expect(try bot.images == 4, "nobody who is not on the list")
                }
            }
        }

        @Test("belongs to whoever sends the code that it prints, and answers nobody else")
        func owner() throws {
            try withLibrary { library in
                let telegram = try TelegramSimulator(in: library.folder)
                defer { try? telegram.stop() }
                let settings = library.botSettings(telegram, ["TELEGRAM_ALLOWED_USERS": ""])
                let run = BotRun(library: library, telegram: telegram)
                func withProcess(_ body: (Program) throws -> Void) throws {
                    let bot = try library.start(["bot"], with: settings)
                    defer { bot.signal(SIGKILL) }
                    try waitUntil { bot.errorsSoFar.contains("answers on Telegram") || !bot.isRunning }
                    try body(bot)
                }
                try withProcess { bot in
                    try waitUntil { bot.errorsSoFar.contains("/start ") }
                    let code = try #require(bot.errorsSoFar.firstMatch(of: /\/start (\S+)/)).1
                    #expect(try run.answer(to: "/start") == "This bot answers its owner only.")
                    #expect(try run.answer(to: "/start \(code)x") == "This bot answers its owner only.")
                    #expect(try run.answer(to: "/start \(code)").hasPrefix("Welcome"))
                    _ = try run.answers(4)
                    #expect(try run.answer(to: "/start \(code)", from: 9) == "This bot answers its owner only.")
                }
                try withProcess { bot in
                    let mode = try run.answer(to: "/mode formal")
                    #expect(mode == "The mode is formal.")
                    #expect(!bot.errorsSoFar.contains("/start"))
                }
            }
        }

        @Test("fetches files again that are missing on disk, and names those that Telegram has no more")
        func refetch() throws {
            try withLibrary { library in
                let telegram = try TelegramSimulator(in: library.folder)
                defer { try? telegram.stop() }
                let settings = library.botSettings(telegram)
                let run = BotRun(library: library, telegram: telegram)
                let bot = try library.start(["bot"], with: settings)
                for number in 1...3 { try run.say(photo: number) }
                _ = try run.answers(3)
                bot.signal(SIGTERM)
                _ = try bot.wait(atMost: .seconds(20))
                for folder in ["data/raw", "data/img"] {
                    try FileManager.default.removeItem(atPath: library.folder.pushing(FilePath(folder)).string)
                }
                try library.bot.execute("UPDATE images SET file_id = 'AgACgone' WHERE id = 2")
                try telegram.control("faults", ["script": ["getFile": ["4291", "500"], "file": ["half"]]])
                let outcome = try library.run("generate", "--all-users", "--refetch", with: settings)
                #expect(
                    outcome.status == 1 && outcome.errors.contains("Fetched 2; 1 are not to be had"),
                    "\(outcome.errors)"
                )
                #expect(try library.vectorCount() == 2)
                let failures = try library.run("failures")
                #expect(failures.output.contains("missing"), "\(failures.output)")
                #expect(try library.run("generate", "--all-users", "--refetch").status == 64)
            }
        }
    }
}
