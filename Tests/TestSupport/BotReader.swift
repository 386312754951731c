import GRDB
package import SystemPackage

/// Reads a bot's database that is there already, as the bot would when it starts again.
package struct BotReader {
    private let path: FilePath

    package init(_ path: FilePath) { self.path = path }

    /// id → (blob, label) of all images.
    package func embeddings() throws -> [Int64: BotDatabase.StoredEmbedding] {
        let queue = try DatabaseQueue.patient(path)
        defer { try? queue.close() }
        return try queue.inDatabase(BotDatabase.embeddings)
    }
}
