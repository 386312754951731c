import Foundation
import PostgreSQL
import SystemPackage
import TestSupport
import Vectors

@testable import Catalog

/// A bot's database at a real server with images 1 to 5, and our tables in it.
struct PostgresSetting {
    let bot: PostgresBot
    let server: PostgresServer
    let main: PostgresMainDatabase

    static let space = EmbeddingSpace(model: "tiny", weightsDigest: "aa", preprocessingVersion: 1, dimension: 8)

    /// - Parameter patience: How long a server that is away or busy is waited for.
    static func with(
        _ cluster: Result<PostgresCluster, any Error> = PostgresCluster.shared,
        patience: Duration = .seconds(30),
        images: Int = 5,
        _ body: (PostgresSetting) throws -> Void
    ) throws {
        try cluster.get().withDatabase { bot in
            try bot.addUser(id: 1, telegramID: 1001)
            try bot.addChat(id: 1, telegramID: 1001, owner: 1)
            for id in 1...images { try bot.addImage(id: Int64(id), original: "\(id).jpg") }
            let server = PostgresServer(try PostgresAddress(bot.address), patience: patience)
            _ = try PostgresSchema(server).make(for: nil)
            try body(PostgresSetting(bot: bot, server: server, main: try PostgresMainDatabase(server)))
        }
    }

    /// Begins to write.
    ///
    /// - Parameter worker: What the run is called, where it claims its images.
    func store(_ worker: String? = nil, through other: PostgresServer? = nil, space: EmbeddingSpace = Self.space) throws
        -> PostgresVectorStore
    {
        let server = other ?? server
        return try PostgresVectorStore(
            server,
            main: PostgresMainDatabase(server),
            vectors: PostgresVectorDatabase(server),
            space: space,
            worker: worker
        )
    }

    func images(_ ids: [Int64]? = nil) throws -> [ImageRecord] {
        try ids.map { try main.images($0) } ?? main.images(inChats: nil, after: .min, count: 100_000)
    }

    /// A vector that anybody would compute for an image.
    func vector(_ image: ImageRecord, seed: UInt64? = nil) throws -> NewVector {
        try .seeded(image, seed: seed)
    }
}
