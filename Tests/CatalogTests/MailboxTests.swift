import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Catalog

@Suite("The mailbox")
struct MailboxTests {
    private func withMailbox(_ body: (Mailbox, FilePath) throws -> Void) throws {
        let folder = FilePath("/tmp/semblance-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let path = folder.appending("inbox.db")
        try body(try Mailbox(path: path), path)
    }

    private func update(_ id: Int64, _ content: String = "", chat: Int64 = 1, person: Int64 = 1)
        -> Mailbox.ReceivedUpdate
    {
        var digest = [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: 32)
        for (index, byte) in content.utf8.prefix(31).enumerated() { digest[index] = byte }
        return Mailbox.ReceivedUpdate(
            updateID: id,
            digest: digest,
            chat: chat,
            person: person,
            body: Data("\(id)".utf8)
        )
    }

    private func next(_ mailbox: Mailbox, except busy: Set<Int64> = [], now: Double = 1) throws -> String? {
        try mailbox.nextUpdate(exceptOf: busy, now: now).map { String(decoding: $0.body, as: UTF8.self) }
    }

    @Test("keeps an update once by its number and content, also after it was answered and when numbers begin anew")
    func deduplication() throws {
        try withMailbox { mailbox, _ in
            #expect(try mailbox.keep([update(5), update(6), update(5)], now: 1) == 2)
            let first = try #require(try mailbox.nextUpdate(exceptOf: [], now: 1))
            try mailbox.finish(first, replies: [], now: 1)
            #expect(try mailbox.keep([update(5), update(6)], now: 2) == 0)
            #expect(try mailbox.keep([update(5, "another"), update(1)], now: 3) == 2)
            try mailbox.tidy(now: 1 + Mailbox.memory)
            #expect(try mailbox.keep([update(5)], now: 4) == 0)
            try mailbox.tidy(now: 2 + Mailbox.memory)
            #expect(try mailbox.keep([update(5)], now: 4) == 1, "after two days it is forgotten")
            #expect(try mailbox.keep([update(6)], now: 4) == 0, "but not what waits still")
        }
    }

    @Test("gives the updates of one chat in their order, each when it may be, those of others meanwhile")
    func order() throws {
        try withMailbox { mailbox, _ in
            try mailbox.keep([update(9), update(8), update(7, chat: 2)], now: 1)
            #expect(
                try next(mailbox) == "9" && next(mailbox, except: [1]) == "7" && next(mailbox, except: [1, 2]) == nil
            )
            let nine = try #require(try mailbox.nextUpdate(exceptOf: [], now: 1))
            try mailbox.postpone(nine, until: 10, now: 1)
            #expect(try next(mailbox) == "7", "what is behind a postponed one waits with it")
            #expect(try next(mailbox, now: 10) == "9")
        }
    }

    @Test("gives up an update that fails three times, says so, and goes on with the chat")
    func poison() throws {
        try withMailbox { mailbox, _ in
            try mailbox.keep([update(1), update(2)], now: 1)
            for attempt in 1...3 {
                let one = try #require(try mailbox.nextUpdate(exceptOf: [], now: 100))
                #expect(String(decoding: one.body, as: UTF8.self) == "1")
                let isDead = try mailbox.fail(one, reason: "r", reply: Data("sorry".utf8), retryAt: 50, now: 100)
                #expect(isDead == (attempt == 3))
            }
            #expect(try next(mailbox, now: 100) == "2")
            #expect(try mailbox.inboxCounts() == (waiting: 1, dead: 1))
            #expect(
                try mailbox.nextMessage(exceptTo: [], now: 100).map { String(decoding: $0.body, as: UTF8.self) }
                    == "sorry"
            )
        }
    }

    @Test("takes no more than a hundred of one person, and says so, while it takes those of others")
    func flood() throws {
        try withMailbox { mailbox, _ in
            let all = (1...101).map { update($0) } + [update(200, chat: 2, person: 2)]
            try mailbox.keep(all, now: 1) { Data("full \($0.updateID)".utf8) }
            #expect(try mailbox.inboxCounts().waiting == 101)
            let message = try #require(try mailbox.nextMessage(exceptTo: [], now: 1))
            #expect(String(decoding: message.body, as: UTF8.self) == "full 101")
            #expect(try mailbox.keep([update(101)], now: 2) == 0)
        }
    }

    @Test("sends the messages of a chat in their order, and none before a pause is over")
    func outbox() throws {
        try withMailbox { mailbox, path in
            try mailbox.keep([update(1), update(2, chat: 2)], now: 1)
            let one = try #require(try mailbox.nextUpdate(exceptOf: [], now: 1))
            try mailbox.finish(one, replies: [Data("a".utf8), Data("b".utf8)], now: 1)
            let two = try #require(try mailbox.nextUpdate(exceptOf: [], now: 1))
            try mailbox.finish(two, replies: [Data("c".utf8)], now: 1)
            func message(_ now: Double, _ busy: Set<Int64> = []) throws -> Mailbox.WaitingMessage? {
                try mailbox.nextMessage(exceptTo: busy, now: now)
            }
            let a = try #require(try message(1))
            #expect(a.chat == 1 && a.body == Data("a".utf8) && a.unanswered == 0)
            try mailbox.retry(a, at: 5, isMaybeSent: true)
            #expect(try message(1)?.body == Data("c".utf8), "b waits behind a")
            let again = try #require(try message(5))
            #expect(again.unanswered == 1 && again.attempts == 1)
            try mailbox.claim(again, now: 5)
            #expect(try message(9.9)?.chat == 2, "what was under way when the program died waits")
            #expect(try message(10)?.chat == 1)
            try mailbox.pause(again, until: 20)
            try mailbox.pause(again, until: 10)
            #expect(try message(19.9)?.chat == 2 && message(20)?.body == Data("a".utf8))
            try mailbox.sent(again)
            #expect(try message(20)?.body == Data("b".utf8))
            try mailbox.close(try #require(try message(20)), reason: "blocked")
            #expect(try message(20)?.chat == 2 && mailbox.outboxCounts() == (waiting: 1, undeliverable: 1))
            #expect(throws: CatalogError.self) { try Mailbox(path: path) }
        }
    }

    @Test("has an album answered when no part has come for a while, and again where one comes later")
    func albums() throws {
        try withMailbox { mailbox, _ in
            try mailbox.keep((1...9).map { update($0) }, now: 0)
            func part(_ image: Int64, at now: Double) throws {
                let waiting = try #require(try mailbox.nextUpdate(exceptOf: [], now: now))
                let album = Mailbox.AlbumPart(name: "x", image: image, context: Data("c".utf8))
                try mailbox.finish(waiting, replies: [], album: album, now: now)
            }
            try part(1, at: 0)
            try part(2, at: 1)
            #expect(try mailbox.dueAlbum(now: 2.4) == nil)
            let album = try #require(try mailbox.dueAlbum(now: 2.5))
            #expect(album.images == [1, 2] && album.messageID == nil)
            try mailbox.answer(album, with: [Data("r".utf8)], now: 2.5)
            #expect(try mailbox.dueAlbum(now: 99) == nil)
            let reply = try #require(try mailbox.nextMessage(exceptTo: [], now: 3))
            try mailbox.sent(reply, album: ("x", 77))
            try part(3, at: 15)
            #expect(try mailbox.dueAlbum(now: 16.5)?.messageID == 77)
            for (index, time) in [16.0, 17, 18, 19].enumerated() { try part(Int64(4 + index), at: time) }
            #expect(try mailbox.dueAlbum(now: 20.5)?.images == [1, 2, 3, 4, 5, 6, 7])
        }
    }

    @Test("waits for an album's parts ten seconds at most")
    func albumPatience() throws {
        try withMailbox { mailbox, _ in
            try mailbox.keep((1...20).map { update($0) }, now: 0)
            for second in 0..<11 {
                let waiting = try #require(try mailbox.nextUpdate(exceptOf: [], now: Double(second)))
                let album = Mailbox.AlbumPart(name: "x", image: Int64(second), context: Data())
                try mailbox.finish(waiting, replies: [], album: album, now: Double(second))
            }
            #expect(try mailbox.dueAlbum(now: 10.1)?.images.count == 11)
        }
    }
}
