import Digests
import Foundation
import GRDB
import Synchronization
package import Vectors

/// Writes vectors: first into our database, then, where their space is the active one, into the bot's, then the mark that
/// both have them.
///
/// Whatever stops the program between two of these steps, the next run finishes the rest: a vector that is ours and
/// not yet the bot's is published without computing it again. Used by one thread at a time.
package final class SQLiteVectorStore: VectorStore {
    let main: SQLiteMainDatabase
    let file: SQLiteVectorDatabase
    package var vectors: any VectorDatabase { file }
    package let space: StoredSpace
    private let owners: Owners?
    private let isIndexed: Bool
    private let run: Int64
    private let open = Mutex(Open())

    /// What the next transaction of ours begins with.
    private struct Open {
        /// Images that the bot's database has taken over, and whose mark is missing.
        var published: [Int64] = []
        /// Images that were deleted in the meantime, and whose vectors go.
        var vanished: [Int64] = []
        /// Whether the space is the active one, so that the bot's rows get its vectors.
        var publishes = false
    }

    package let index: IndexState

    /// Begins a run: adds the space where it is new and brings its index up to date.
    package init(
        main: SQLiteMainDatabase,
        vectors: SQLiteVectorDatabase,
        space: EmbeddingSpace
    ) throws(CatalogError) {
        self.main = main
        file = vectors
        let stored = try vectors.register(space)
        self.space = stored
        owners = try main.owners(required: false)
        index = try Self.reconcile(vectors, stored)
        if case .ready = index { isIndexed = true } else { isIndexed = false }
        run = try vectors.write { db in
            try db.execute(sql: "INSERT INTO runs (space_id) VALUES (?)", arguments: [stored.id])
            return db.lastInsertedRowID
        }
        let isActive = try vectors.activeSpace() == stored
        open.withLock { $0.publishes = isActive }
    }

    /// Whether the space is the active one.
    package var isActive: Bool { open.withLock { $0.publishes } }

    /// Makes the space the active one; what it has is yet to be published.
    package func activate() throws(CatalogError) {
        try file.activate(space)
        open.withLock { $0.publishes = true }
    }

    /// A failing index never stops a backfill: the vectors are stored, and the next run that can fills the index.
    private static func reconcile(
        _ vectors: SQLiteVectorDatabase,
        _ space: StoredSpace
    ) throws(CatalogError) -> IndexState {
        if case .unavailable(let reason) = vectors.indexExtension { return .unavailable(reason: reason) }
        do throws(CatalogError) {
            return .ready(repaired: try vectors.reconcileIndex(of: space))
        } catch  where error.code == .schema {
            return .unavailable(reason: error.description)
        }
    }

    /// Stores a batch of vectors and failures and, where the space is the active one, publishes the vectors.
    ///
    /// - Returns: The ids of images that were deleted or replaced in the bot's database meanwhile.
    package func store(_ batch: [NewVector], failures: [FailureRecord]) throws(CatalogError) -> Set<Int64> {
        let blobs = batch.map { EmbeddingBlob($0.embedding).bytes }
        try writeSettling { db in
            for (vector, blob) in zip(batch, blobs) { try insert(vector, blob, db) }
            for failure in failures { try insert(failure, db) }
            try db.execute(
                sql: "UPDATE runs SET embedded = embedded + ?, failed = failed + ? WHERE id = ?",
                arguments: [batch.count, failures.count, run]
            )
        }
        return isActive ? try publish(zip(batch.map(\.image), blobs).map { ($0, $1) }) : []
    }

    /// Publishes vectors that an earlier run computed and did not bring to the bot's database.
    ///
    /// - Returns: The ids of images that were deleted or replaced in the bot's database meanwhile.
    package func publish(_ images: [ImageRecord]) throws(CatalogError) -> Set<Int64> {
        let pairs = try file.read { db in
            try images.compactMap { image in
                try Data.fetchOne(
                    db,
                    sql: "SELECT blob FROM vectors WHERE space_id = ? AND image_id = ? AND file_unique_id = ?",
                    arguments: [space.id, image.id, image.fileUniqueID]
                ).map { (image, Array($0)) }
            }
        }
        return try publish(pairs)
    }

    /// Ends the run: writes the marks that are still open.
    package func finish() throws(CatalogError) {
        try writeSettling { db in
            try db.execute(
                sql: "UPDATE runs SET ended_at = strftime('%Y-%m-%dT%H:%M:%SZ') WHERE id = ?",
                arguments: [run]
            )
        }
    }

    /// Runs a transaction of ours that begins with what the last one left open.
    private func writeSettling(_ work: (Database) throws -> Void) throws(CatalogError) {
        let settled = open.withLock { $0 }
        try file.write { db in
            try settle(settled, db)
            try work(db)
        }
        open.withLock { ($0.published, $0.vanished) = ([], []) }
    }

    private func publish(_ blobs: [(image: ImageRecord, blob: [UInt8])]) throws(CatalogError) -> Set<Int64> {
        guard !blobs.isEmpty else { return [] }
        let gone: Set<Int64> = try main.write { db in
            let update = try db.cachedStatement(
                sql: "UPDATE images SET embedding = ?, embedding_model = ? WHERE id = ? AND file_unique_id = ?"
            )
            let vanished = try blobs.filter { image, blob in
                try update.execute(arguments: [Data(blob), space.space.model, image.id, image.fileUniqueID])
                return db.changesCount == 0
            }
            return Set(vanished.map(\.image.id))
        }
        open.withLock { open in
            open.vanished += Array(gone)
            open.published += blobs.map(\.image.id).filter { !gone.contains($0) }
        }
        try LogGuard.checkpointIfLarge(main)
        return gone
    }

    /// Marks what was published and drops what was deleted since the last transaction.
    private func settle(_ open: Open, _ db: Database) throws {
        for image in open.published {
            try db.cachedStatement(sql: "UPDATE vectors SET published = 1 WHERE space_id = ? AND image_id = ?")
                .execute(arguments: [space.id, image])
        }
        try file.remove(open.vanished, from: space, db)
    }

    private func insert(_ vector: NewVector, _ blob: [UInt8], _ db: Database) throws {
        try file.remove([vector.image.id], from: space, db)
        try db.cachedStatement(sql: "DELETE FROM failures WHERE space_id = ? AND image_id = ?")
            .execute(arguments: [space.id, vector.image.id])
        let owner = vector.image.chatID.flatMap { owners?.owner(ofChat: $0) }
        try db.cachedStatement(
            sql: """
                INSERT INTO vectors (space_id, image_id, file_unique_id, owner, published, blob_digest, source_digest,
                    source_fingerprint, source_size, perceptual_hash, run_id, blob)
                VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                space.id, vector.image.id, vector.image.fileUniqueID, owner, Data(SHA256Digest(of: blob).bytes),
                Data(vector.source.digest), vector.source.fingerprint, vector.source.byteCount,
                Int64(bitPattern: vector.source.perceptualHash.bits), run, Data(blob),
            ]
        )
        if isIndexed { try VectorIndex(space).add(db.lastInsertedRowID, owner: owner, blob: blob, db) }
    }

    private func insert(_ failure: FailureRecord, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO failures
                    (space_id, image_id, file_unique_id, class, fingerprint, attempts, next_attempt, message)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                space.id, failure.imageID, failure.fileUniqueID, failure.kind.rawValue, failure.fingerprint,
                failure.attempts, failure.nextAttempt, failure.message,
            ]
        )
    }
}

extension SQLiteVectorDatabase {
    /// Removes images' vectors of a space in short transactions.
    package func remove(_ images: [Int64], from space: StoredSpace) throws(CatalogError) {
        for start in stride(from: 0, to: images.count, by: 500) {
            try write { try remove(images[start..<min(start + 500, images.count)], from: space, $0) }
        }
    }

    /// Removes images' vectors of a space, and their rows of the index.
    func remove(_ images: some Sequence<Int64>, from space: StoredSpace, _ db: Database) throws {
        let index = VectorIndex(space)
        let isIndexed = try hasIndex(of: space, db)
        for image in images {
            let ids = try Int64.fetchAll(
                try db.cachedStatement(sql: "SELECT id FROM vectors WHERE space_id = ? AND image_id = ?"),
                arguments: [space.id, image]
            )
            for id in ids { try db.cachedStatement(sql: "DELETE FROM vectors WHERE id = ?").execute(arguments: [id]) }
            if isIndexed { try index.remove(ids, db) }
        }
    }

    /// Whether a space has an index that can be used.
    func hasIndex(of space: StoredSpace, _ db: Database) throws -> Bool {
        guard case .loaded = indexExtension else { return false }
        return try VectorIndex(space).exists(db)
    }
}
