import Foundation
import GRDB
import PostgreSQL
import SystemPackage
import TestSupport
import Vectors

@testable import Catalog

/// The bot's tables, wherever they are, as the bot changes them.
protocol BotTables {
    func addUser(id: Int64, telegramID: Int64) throws
    func addChat(id: Int64, telegramID: Int64, owner: Int64, type: String) throws
    func addImage(id: Int64, chat: Int64, path: String, uniqueID: String?) throws
    /// Runs a statement.
    func change(_ sql: String) throws
    /// Puts bytes into the place of an image's vector.
    func overwrite(_ image: Int64, _ bytes: [UInt8]) throws
}

extension BotDatabase: BotTables {
    func addImage(id: Int64, chat: Int64, path: String, uniqueID: String?) throws {
        try addImage(id: id, chat: chat, original: path, compressed: nil, uniqueID: uniqueID)
    }
    func change(_ sql: String) throws { try execute(sql) }
    func overwrite(_ image: Int64, _ bytes: [UInt8]) throws {
        try execute("UPDATE images SET embedding = ? WHERE id = ?", [Data(bytes), image])
    }
}

extension PostgresBot: BotTables {
    func addImage(id: Int64, chat: Int64, path: String, uniqueID: String?) throws {
        try addImage(id: id, chat: chat, original: path, compressed: nil, uniqueID: uniqueID)
    }
    func change(_ sql: String) throws { try execute(sql) }
    func overwrite(_ image: Int64, _ bytes: [UInt8]) throws {
        try execute("UPDATE images SET embedding = $1 WHERE id = $2", [.bytes(bytes), .int64(image)])
    }
}

/// The kinds of storage, which all have to pass the same tests.
enum StorageKind: CaseIterable {
    case files, server, serverWithoutPGVector

    /// Makes a bot's tables and our database.
    func with(_ body: (any BotTables, any Storage) throws -> Void) throws {
        switch self {
        case .files:
            try withTemporaryFolder { folder in
                let files = try Files(folder, isIndexed: true)
                try body(files.bot, files)
            }
        case .server, .serverWithoutPGVector:
            let cluster = self == .server ? PostgresCluster.shared : PostgresCluster.plain
            try cluster.get().withDatabase { try body($0, try Server($0, hasPGVector: self == .server)) }
        }
    }
}

/// Where the vectors are kept.
protocol Storage {
    var main: any MainDatabase { get }
    /// Begins to write into a space, on connections of its own.
    func store(_ space: EmbeddingSpace) throws -> any VectorStore
}

/// Two files.
struct Files: Storage {
    let bot: BotDatabase
    let main: any MainDatabase
    private let writer: SQLiteMainDatabase
    private let path: FilePath
    private let isIndexed: Bool

    init(_ folder: FilePath, isIndexed: Bool) throws {
        bot = try BotDatabase(folder.appending("bot.db"))
        let address = try DatabaseAddress(bot.path.string, workingDirectory: "/")
        writer = try SQLiteMainDatabase(address, isReadOnly: false)
        main = try SQLiteMainDatabase(address)
        path = folder.appending("semblance.db")
        self.isIndexed = isIndexed
    }

    private func vectors() throws -> SQLiteVectorDatabase {
        try SQLiteVectorDatabase(path: path, isReadOnly: false, extensionPath: isIndexed ? Fixtures.sqliteVec : nil)
    }

    func store(_ space: EmbeddingSpace) throws -> any VectorStore {
        try SQLiteVectorStore(main: writer, vectors: vectors(), space: space)
    }

    /// Takes rows out of the index alone.
    func loseFromIndex(_ images: [Int64]) throws {
        try vectors().write { db in
            for image in images {
                let sql = "DELETE FROM index_1 WHERE rowid = (SELECT id FROM vectors WHERE image_id = ?)"
                try db.execute(sql: sql, arguments: [image])
            }
        }
    }
}

/// A server.
struct Server: Storage {
    let main: any MainDatabase
    private let server: PostgresServer

    init(_ bot: PostgresBot, hasPGVector: Bool) throws {
        server = PostgresServer(try PostgresAddress(bot.address), patience: .seconds(30))
        let outcome = try PostgresSchema(server).make(for: nil)
        guard outcome.hasPGVector == hasPGVector else {
            throw TestSupportError("\(outcome.reason ?? "pgvector is there")")
        }
        main = try PostgresMainDatabase(server)
    }

    func store(_ space: EmbeddingSpace) throws -> any VectorStore {
        let main = try PostgresMainDatabase(server)
        return try PostgresVectorStore(server, main: main, vectors: PostgresVectorDatabase(server), space: space)
    }
}
