import ArgumentParser
import Catalog
import Foundation
import PostgreSQL
import Vectors

/// A bot's tables at a server with so many images, our tables, one space, and all images offered to workers.
struct ServerLibrary: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "server-library")

    @Option(help: "The database's address.")
    var address: String

    @Option(help: "How many images.")
    var count = 20_000

    @Option(help: "Components of a vector.")
    var dimension = 512

    static func space(_ dimension: Int) -> EmbeddingSpace {
        EmbeddingSpace(model: "bench", weightsDigest: "aa", preprocessingVersion: 1, dimension: dimension)
    }

    /// A hundredth of all images are person 1001's.
    private static let tables = """
        DROP SCHEMA IF EXISTS semblance CASCADE; DROP TABLE IF EXISTS images, chats, users;
        CREATE TABLE users (id SERIAL PRIMARY KEY, user_id BIGINT NOT NULL UNIQUE);
        CREATE TABLE chats (id SERIAL PRIMARY KEY, chat_id BIGINT NOT NULL UNIQUE, user_id BIGINT NOT NULL);
        CREATE TABLE images (id SERIAL PRIMARY KEY, chat_id INTEGER NOT NULL, file_unique_id VARCHAR(255) NOT NULL UNIQUE,
            original_path VARCHAR(500), embedding BYTEA, embedding_model VARCHAR(100),
            processing_status VARCHAR(20) NOT NULL);
        INSERT INTO users (id, user_id) SELECT n, 1000 + n FROM generate_series(1, 100) n;
        INSERT INTO chats (id, chat_id, user_id) SELECT n, 1000 + n, n FROM generate_series(1, 100) n
        """

    func run() throws {
        let server = PostgresServer(try PostgresAddress(address), patience: .seconds(60))
        let pool = PostgresPool(try PostgresAddress(address))
        try pool.withConnection { connection in
            try connection.run(Self.tables)
            try connection.execute(
                """
                INSERT INTO images (id, chat_id, file_unique_id, original_path, processing_status)
                SELECT n, 1 + n % 100, 'u' || n, n || '.jpg', 'completed' FROM generate_series(1, $1::bigint) n
                """,
                [.int64(Int64(count))]
            )
        }
        _ = try PostgresSchema(server).make(for: nil)
        let vectors = try PostgresVectorDatabase(server)
        let space = try vectors.register(Self.space(dimension))
        try pool.withConnection { connection in
            try connection.execute(
                "INSERT INTO semblance.work (space_id, image_id) SELECT $1, id FROM images",
                [.int64(space.id)]
            )
            try connection.run("ANALYZE")
        }
    }
}
