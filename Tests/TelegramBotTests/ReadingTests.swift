import Foundation
import Testing

@testable import TelegramBot

@Suite("What is read from messages")
struct ReadingTests {
    @Test("are commands to this bot, whatever the case, with the words behind them")
    func commands() {
        #expect(
            Command("/Search@Semblance_Bot a  red bicycle \n", to: "semblance_bot")
                == Command(name: "search", words: "a  red bicycle")
        )
        #expect(Command("/start", to: "b") == Command(name: "start", words: ""))
        for text in ["start", "", "/", "/help@other", " /help", "@b /help"] { #expect(Command(text, to: "b") == nil) }
    }

    private static let rules = BotRules(
        users: [],
        chats: [],
        largestFile: 1000,
        fileExtensions: ["jpg", "png"],
        embedsAll: false,
        perMinute: 30
    )

    private func file(_ json: String) throws -> PictureFile? {
        let whole = #"{"message_id":1,"date":2,"chat":{"id":3,"type":"private","new":{}},\#(json)}"#
        return PictureFile(try JSONDecoder().decode(Message.self, from: Data(whole.utf8)), Self.rules)
    }

    private func size(_ name: String, _ width: Int, _ bytes: String) -> String {
        #"{"file_id":"\#(name)","file_unique_id":"u\#(name)","width":\#(width),"height":9\#(bytes)}"#
    }

    @Test("is the largest size of a photo within the limit, or a document that is an image")
    func files() throws {
        let sizes = [size("s", 90, ""), size("m", 320, #","file_size":1000"#), size("l", 900, #","file_size":1001"#)]
        let photo = try file(#""photo":[\#(sizes.joined(separator: ","))]"#)
        #expect(photo?.id == "m" && photo?.uniqueID == "um" && photo?.fault == nil)
        #expect(try file(#""photo":[\#(sizes[2])]"#)?.fault == .tooLarge)
        #expect(try file(#""text":"hello""#) == nil && file(#""photo":[]"#) == nil)
        for (name, bytes, fault) in [
            ("A.JPG", 9, nil), ("a.png", 1001, .tooLarge), ("a.pdf", 9, .unsupported), ("jpg", 9, .unsupported),
            ("../../x.jpg", 9, nil),
        ] as [(String, Int, PictureFile.Fault?)] {
            let document = #"{"file_id":"d","file_unique_id":"u","file_name":"\#(name)","file_size":\#(bytes)}"#
            #expect(try file(#""document":\#(document)"#)?.fault == fault, "\(name)")
        }
    }

    @Test("gives no name for a file that could be anything but a name")
    func names() {
        #expect(PictureFile.plainName("AgAC_x-9") == "AgAC_x-9")
        for odd in ["", "../x", "a/b", "a.b", "a b", "ü", "a\0", String(repeating: "a", count: 201)] {
            #expect(PictureFile.plainName(odd) == nil, "\(odd)")
        }
    }

    @Test("lets a person go on as fast as the bucket fills, and says so once a minute")
    func allowance() {
        let allowance = Allowance(perMinute: 30)
        for _ in 0..<30 { #expect(allowance.take(1, now: 0) == .go) }
        #expect(allowance.take(1, now: 0) == .wait(2, isNews: true))
        #expect(allowance.take(1, now: 1) == .wait(1, isNews: false))
        #expect(allowance.take(2, now: 1) == .go)
        #expect(allowance.take(1, now: 2) == .go && allowance.take(1, now: 1) != .go)
        #expect(allowance.take(1, now: -100) != .go, "a clock that jumps back gives nothing")
    }

    @Test("never shows the token, and takes nothing else for one")
    func token() throws {
        let token = try #require(BotToken("123456:CANARY-abcdefghijklmnopqrstuvwxyz"))
        for text in ["\(token)", String(describing: token), String(reflecting: token), "\([token])", "\(token as Any)"]
        {
            #expect(!text.contains("CANARY"), "\(text)")
        }
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!dumped.contains("CANARY"))
        for odd in ["", "123", "x:CANARY-abcdefghijklmnopqrstuvwxyz", "1:short", "1:aaaaaaaaaaaaaaaaaaaaaaaaaaa/../"] {
            #expect(BotToken(odd) == nil, "\(odd)")
        }
        #expect(throws: BotError.self) { try BotAPI(base: "http://example.org", token: token) }
        #expect(throws: BotError.self) { try BotAPI(base: "https://user:x@example.org", token: token) }
    }
}
