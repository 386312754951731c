import Foundation
import Testing

@testable import TelegramBot

@Suite("What the bot says")
struct TextsTests {
    @Test("is there in each language, with the same places to fill")
    func complete() throws {
        let english = try #require(Texts.languages["en"])
        for (code, texts) in Texts.languages {
            for key in Texts.Key.allCases {
                #expect(texts.has(key), "\(code) \(key)")
                #expect(places(texts(key)) == places(english(key)), "\(code) \(key)")
            }
        }
        #expect(Texts.languages.count == 2)
    }

    private func places(_ text: String) -> Set<String> { Set(text.matches(of: /\{[a-z]+\}/).map { String($0.0) }) }

    @Test("is in the reader's language, English where there is no other, and names days as people do")
    func languages() {
        #expect(Texts.speaking("ru-RU")(.kept) == "Сохранено." && Texts.speaking("xx")(.kept) == "Kept.")
        let now = Date(timeIntervalSince1970: 1_779_000_000)
        #expect(Texts.speaking("en").day("2026-05-03 10:00:00", now: now) == "3 May")
        #expect(Texts.speaking("ru").day("2026-05-03 10:00:00.123", now: now) == "3 мая")
        #expect(Texts.speaking(nil).day("2025-05-03", now: now) == "3 May 2025")
        for odd in [nil, "", "yesterday", "2026-13-01"] { #expect(Texts.speaking(nil).day(odd, now: now) == "?") }
    }

    @Test("fits Telegram's limits")
    func limits() {
        for texts in Texts.languages.values {
            for command in texts.menu { #expect(1...256 ~= command.description.count) }
            for key in Texts.Key.allCases { #expect(texts(key).count < 2000) }
        }
        let longest = [
            Press.similar(image: .max, onlyHere: true, offset: 500), .gallery(before: .max), .deleteAll(person: .max),
            .keep,
        ]
        for press in longest { #expect(press.data.utf8.count <= 64 && Press(press.data) == press) }
        for odd in ["", "s", "s:1:1", "s:1:1:501", "s:1:1:-1", "g:x", "q:1", "s:1:1:1:1", "s:1:0:0:;", "k:", "s:1::0"] {
            #expect(Press(odd) == nil)
        }
    }
}
