import Catalog
import Digests
import Foundation
import GRDB
import SystemPackage
import TestSupport
import Vectors

/// A bot's database and ours with many vectors: a thousand of one person, the rest of another.
struct SearchLibrary {
    let space: StoredSpace
    private let bot: BotDatabase
    private let path: FilePath
    private let centres: [[Float]]
    private let dimension: Int
    private let count: Int

    static let person: Int64 = 1001

    init(_ folder: FilePath, count: Int, dimension: Int) throws {
        self.dimension = dimension
        self.count = count
        centres = (0..<1000).map { Self.numbers(UInt64($0), dimension) }
        path = folder.appending("semblance.db")
        bot = try BotDatabase(folder.appending("bot.db"))
        for (id, person) in [(Int64(1), Self.person), (2, 1002)] {
            try bot.addUser(id: id, telegramID: person)
            try bot.addChat(id: id, telegramID: person, owner: id)
        }
        let vectors = try SQLiteVectorDatabase(path: path, isReadOnly: false, extensionPath: nil)
        space = try vectors.register(
            EmbeddingSpace(model: "bench", weightsDigest: "aa", preprocessingVersion: 1, dimension: dimension)
        )
        try vectors.close()
        try fill(count)
    }

    private func fill(_ count: Int) throws {
        try bot.queue.write { db in
            let insert = try db.makeStatement(
                sql: """
                    INSERT INTO images (id, chat_id, file_id, file_unique_id, processing_status) VALUES (?, ?, '', ?, 'completed')
                    """
            )
            for id in 1...count { try insert.execute(arguments: [id, isOfPerson(id) ? 1 : 2, "u\(id)"]) }
        }
        let queue = try DatabaseQueue(path: path.string)
        try queue.write { db in
            try db.execute(sql: "INSERT INTO runs (space_id) VALUES (?)", arguments: [space.id])
            let insert = try db.makeStatement(
                sql: """
                    INSERT INTO vectors (space_id, image_id, file_unique_id, published, blob_digest, source_digest,
                        source_fingerprint, run_id, blob)
                    VALUES (?, ?, ?, 0, zeroblob(32), zeroblob(32), '', 1, ?)
                    """
            )
            for id in 1...count {
                let blob = Data(EmbeddingBlob(embedding(id - 1)).bytes)
                try insert.execute(arguments: [space.id, id, "u\(id)", blob])
            }
        }
        try queue.close()
    }

    /// Whose an image is.
    func isOfPerson(_ id: Int) -> Bool { id % max(count / 1000, 2) == 0 }

    /// Both databases, freshly opened.
    func catalog(index: String? = nil) throws -> Catalog {
        let address = try DatabaseAddress(bot.path.string, workingDirectory: "/")
        let index = index.map { FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath($0)) }
        return Catalog(
            main: try SQLiteMainDatabase(address),
            vectors: try SQLiteVectorDatabase.existing(path: path, extensionPath: index)
        )
    }

    /// Indexes all vectors.
    func fillIndex(_ sqliteVec: String) throws {
        let address = try DatabaseAddress(bot.path.string, workingDirectory: "/")
        let index = FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(sqliteVec))
        let vectors = try SQLiteVectorDatabase(path: path, isReadOnly: false, extensionPath: index)
        _ = try SQLiteVectorStore(
            main: SQLiteMainDatabase(address, isReadOnly: false),
            vectors: vectors,
            space: space.space
        )
        try vectors.close()
    }

    /// The vector of a number, always the same: near one of the centres.
    func embedding(_ number: Int) -> Embedding {
        let centre = centres[number % centres.count]
        let numbers = zip(centre, Self.numbers(UInt64(number) + 1_000_000, dimension)).map { $0 + $1 * 0.7 }
        guard let embedding = try? Embedding(normalizing: numbers) else { preconditionFailure("a vector of zeros") }
        return embedding
    }

    private static func numbers(_ seed: UInt64, _ dimension: Int) -> [Float] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        return (0..<dimension).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
        }
    }
}
