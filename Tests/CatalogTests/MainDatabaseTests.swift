import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import Catalog

@Suite("The bot's database")
struct MainDatabaseTests {
    @Test("is found under every form of its address")
    func addresses() throws {
        let here = FilePath("/srv/bot")
        let relative = [
            "./data/bot.db", "data/bot.db", "sqlite:///data/bot.db", "sqlite+aiosqlite:///./data/bot.db?x=1",
        ]
        for text in relative {
            let address = try DatabaseAddress(text, workingDirectory: here)
            #expect(address.path == "/srv/bot/data/bot.db" && address.defaultRoot == "/srv/bot")
        }
        let absolute = try DatabaseAddress("sqlite:////opt/bot/data/bot.db", workingDirectory: here)
        #expect(absolute.path == "/opt/bot/data/bot.db" && absolute.defaultRoot == "/opt/bot")
        #expect(try DatabaseAddress("/opt/x.db", workingDirectory: here).defaultRoot == "/opt")
    }

    @Test("of another kind is refused without repeating the password")
    func otherKinds() {
        for text in ["postgresql+asyncpg://bot:secret@host/db", "mysql://bot:secret@host/db", "sqlite://bot.db", ""] {
            let error = #expect(throws: CatalogError.self) { try DatabaseAddress(text, workingDirectory: "/") }
            #expect(error?.code == .unsupported)
            #expect(error?.description.contains("secret") == false)
        }
    }

    @Test("that is missing, a folder, or has a second name is refused")
    func file() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending("bot.db")
            expect(.missing, path)
            expect(.missing, folder)
            expect(.missing, folder.appending("link"))
            _ = try BotDatabase(path)
            #expect(symlink(path.string, folder.appending("link").string) == 0)
            let linked = try SQLiteMainDatabase(DatabaseAddress(folder.appending("link").string, workingDirectory: "/"))
            #expect(linked.path == path, "the journal lies beside the file, not beside the link")
            #expect(link(path.string, path.string + "2") == 0)
            expect(.corrupt, path)
        }
    }

    @Test("that is damaged, empty or no database is refused")
    func damaged() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending("bot.db")
            _ = FileManager.default.createFile(atPath: path.string, contents: Data(repeating: 7, count: 5000))
            expect(.corrupt, path)
            _ = FileManager.default.createFile(atPath: path.string, contents: Data())
            expect(.schema, path)
        }
    }

    /// Schemas of bots of other ages: what is missing, and whether that matters.
    @Test(
        "of another age works where what is missing is not needed",
        arguments: [
            ("ALTER TABLE images DROP COLUMN compressed_path", nil),
            ("ALTER TABLE images DROP COLUMN original_path", nil),
            ("ALTER TABLE images ADD COLUMN file_path VARCHAR(500)", nil),
            ("ALTER TABLE images ADD COLUMN new_thing INTEGER NOT NULL DEFAULT 3", nil),
            ("DROP TABLE users", nil), ("DROP TABLE chats", nil), ("DROP TABLE messages", nil),
            ("ALTER TABLE images DROP COLUMN embedding_model", "embedding_model"),
            ("ALTER TABLE images DROP COLUMN embedding", "embedding"),
            ("ALTER TABLE images DROP COLUMN processing_status", "processing_status"),
            (
                "ALTER TABLE images DROP COLUMN original_path; ALTER TABLE images DROP COLUMN compressed_path",
                "file_path"
            ),
            ("DROP TABLE images", "images"),
            ("DROP TABLE images; CREATE VIEW images AS SELECT * FROM users", "images"),
        ] as [(String, String?)]
    )
    func otherSchemas(change: String, missing: String?) throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"))
            try bot.execute(change)
            guard let missing else {
                #expect(throws: Never.self) { try statistics(bot.path) }
                return
            }
            let error = #expect(throws: CatalogError.self) { try statistics(bot.path) }
            #expect(error?.code == .schema)
            #expect(error?.description.contains(missing) == true)
        }
    }

    @Test("without users can not be asked for one user, and says which table is missing")
    func missingUsers() throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"))
            try bot.execute("DROP TABLE users")
            let error = #expect(throws: CatalogError.self) { try statistics(bot.path, .user(5)) }
            #expect(error?.description.contains("users") == true)
        }
    }

    @Test(
        "keeps its connection settings: full synchronisation, no checkpoints, no trust in its schema",
        arguments: ["DELETE", "WAL"]
    )
    func settings(mode: String) throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"), journalMode: mode)
            let main = try SQLiteMainDatabase(
                DatabaseAddress(bot.path.string, workingDirectory: "/"),
                isReadOnly: false
            )
            let values = try main.withoutTransaction { db in
                try ["synchronous", "wal_autocheckpoint", "trusted_schema", "cell_size_check", "foreign_keys"].map {
                    try Int.fetchOne(db, sql: "PRAGMA \($0)")
                }
            }
            #expect(values == [2, 0, 0, 1, 0])
            #expect(try main.journalMode() == mode.lowercased())
        }
    }

    @Test("with hostile triggers, huge rows and broken text is read and written all the same")
    func hostile() throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"))
            try bot.addImage(id: 1, original: "a.jpg", embedding: Data(count: 60_000_000), label: "clip-ViT-B-32")
            try bot.addImage(id: 2, original: "b.jpg", embedding: "text", label: "clip-ViT-B-32")
            try bot.addImage(id: 3, original: "c.jpg", embedding: 17, label: "clip-ViT-B-32")
            try bot.execute("UPDATE images SET analysis = CAST(zeroblob(50000000) AS TEXT) WHERE id = 2")
            try bot.execute(
                "UPDATE images SET original_path = CAST(x'ff2f002e6a' AS TEXT), mode_used = CAST(x'fffe' AS TEXT)"
            )
            try bot.execute(
                "CREATE TRIGGER spy AFTER UPDATE ON images BEGIN SELECT load_extension('/tmp/evil.so'); END"
            )
            let statistics = try statistics(bot.path)
            #expect(statistics.total == 3 && statistics.stale == [.damaged: 3])
        }
    }

    private func statistics(_ path: FilePath, _ scope: Scope = .allUsers) throws -> Statistics {
        let main = try SQLiteMainDatabase(DatabaseAddress(path.string, workingDirectory: "/"))
        return try Catalog(main: main, vectors: nil).statistics(scope, model: "clip-ViT-B-32", space: nil)
    }

    private func expect(_ code: CatalogError.Code, _ path: FilePath) {
        let error = #expect(throws: CatalogError.self) {
            try SQLiteMainDatabase(DatabaseAddress(path.string, workingDirectory: "/"))
        }
        #expect(error?.code == code)
    }
}

@Suite("The owner of a chat")
struct OwnersTests {
    @Test("is found by the internal id and by the Telegram id, and never guessed")
    func owners() throws {
        try withTemporaryFolder { folder in
            let bot = try BotDatabase(folder.appending("bot.db"))
            try bot.addUser(id: 1, telegramID: 1001)
            try bot.addUser(id: 2, telegramID: 1002)
            try bot.addUser(id: 3, telegramID: 2)
            try bot.addChat(id: 10, telegramID: 1001, owner: 1)
            try bot.addChat(id: 11, telegramID: -500, owner: 1001, type: "group")
            try bot.addChat(id: 12, telegramID: -501, owner: 2, type: "group")
            try bot.addChat(id: 13, telegramID: 1002, owner: 2)
            try bot.addChat(id: 14, telegramID: -502, owner: 999, type: "group")
            let main = try SQLiteMainDatabase(DatabaseAddress(bot.path.string, workingDirectory: "/"))
            let owners = try #require(try main.owners(required: true))
            #expect(owners.chats(of: 1001) == [10, 11])
            #expect(
                owners.owner(ofChat: 12) == nil,
                "2 is the internal id of one person and the Telegram id of another"
            )
            #expect(owners.owner(ofChat: 13) == 1002, "a private chat carries the Telegram id of its person")
            #expect(owners.owner(ofChat: 14) == nil)
            #expect(owners.knows(1002) && !owners.knows(1))
        }
    }
}
