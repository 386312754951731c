import Digests
import Foundation
import PostgreSQL
import Synchronization
package import Vectors

/// Writes vectors at a server: ours and the bot's row in one transaction, so that either both have a vector or neither.
///
/// What stood in the bot's row and was no vector of ours is kept in `semblance.replaced`. Where the images of a batch were
/// claimed, only those are written whose claim still stands. Used by one thread at a time.
package final class PostgresVectorStore: VectorStore {
    private let server: PostgresServer
    private let database: PostgresVectorDatabase
    package var vectors: any VectorDatabase { database }
    package let space: StoredSpace
    package let index: IndexState
    package let queue: WorkQueue?
    private let owners: Owners?
    private let isVector: Bool
    private let run: Int64
    private let state: Mutex<State>

    private struct State {
        var isActive: Bool
        /// Counts the transactions of the run; the run's row says which was the last one.
        var batches: Int64 = 0
    }

    /// Begins a run: adds the space where it is new.
    ///
    /// - Parameter worker: What the run is called among others; `nil` for one that claims nothing.
    package init(
        _ server: PostgresServer,
        main: PostgresMainDatabase,
        vectors: PostgresVectorDatabase,
        space: EmbeddingSpace,
        worker: String? = nil
    ) throws(CatalogError) {
        self.server = server
        database = vectors
        let stored = try vectors.register(space)
        self.space = stored
        owners = try main.owners(required: false)
        isVector = try vectors.isVector(stored)
        index = isVector ? .ready(repaired: 0) : .unavailable(reason: "pgvector is not there")
        let rows = try server.execute(
            "INSERT INTO semblance.runs (space_id, name) VALUES ($1, $2) RETURNING id",
            [.int64(stored.id), .text(worker ?? "")]
        ).rows
        run = rows.first?.int64(0) ?? 0
        state = Mutex(State(isActive: try vectors.activeSpace() == stored))
        queue = worker == nil ? nil : WorkQueue(server, space: stored, run: run)
    }

    package var isActive: Bool { state.withLock { $0.isActive } }

    package func activate() throws(CatalogError) {
        try database.activate(space)
        state.withLock { $0.isActive = true }
    }

    package func store(_ batch: [NewVector], failures: [FailureRecord]) throws(CatalogError) -> Set<Int64> {
        let ids = batch.map(\.image.id) + failures.map(\.imageID)
        let blobs = batch.map { EmbeddingBlob($0.embedding).bytes }
        let outcome = try transaction { connection in
            let own = try queue?.complete(ids, connection) ?? Set(ids)
            let kept = zip(batch, blobs).filter { own.contains($0.0.image.id) }
            let published =
                try isActiveSpace(connection)
                ? try publish(kept.map { ($0.0.image, $0.1) }, connection) : Set(kept.map(\.0.image.id))
            try insert(kept.filter { published.contains($0.0.image.id) }, connection)
            let failed = failures.filter { own.contains($0.imageID) }
            try database.insert(failed, into: space, connection)
            try count(embedded: published.count, failed: failed.count, connection)
            return Set(batch.map(\.image.id)).subtracting(published)
        }
        queue?.release(ids)
        return outcome
    }

    package func publish(_ images: [ImageRecord]) throws(CatalogError) -> Set<Int64> {
        let blobs = try database.embeddings(of: images.map(\.id), in: space)
        let byImage = Dictionary(blobs) { $1 }
        return try transaction { connection in
            let pairs = images.compactMap { image in byImage[image.id].map { (image, $0) } }
            let published = try publish(pairs, connection)
            try connection.execute(
                "UPDATE \(database.table(space)) SET published = TRUE WHERE image_id = ANY ($1) AND NOT published",
                [.int64s(Array(published))]
            )
            try count(embedded: 0, failed: 0, connection)
            return Set(pairs.map(\.0.id)).subtracting(published)
        }
    }

    package func finish() throws(CatalogError) {
        try queue?.close()
        try server.execute(
            "UPDATE semblance.runs SET ended_at = clock_timestamp(), seen_at = clock_timestamp() WHERE id = $1",
            [.int64(run)]
        )
    }

    /// Runs a transaction exactly once: where nobody knows whether it was committed, the run's own row tells.
    private func transaction(
        _ work: (PostgresConnection) throws -> Set<Int64>
    ) throws(CatalogError) -> Set<Int64> {
        let number = state.withLock { state in
            state.batches += 1
            return state.batches
        }
        var outcome: Set<Int64> = []
        return try server.transaction { connection in
            let rows = try connection.execute("SELECT batches FROM semblance.runs WHERE id = $1", [.int64(run)]).rows
            return rows.first?.int64(0) == number ? outcome : nil
        } _: { connection in
            outcome = try work(connection)
            try connection.execute(
                "UPDATE semblance.runs SET batches = $2, seen_at = clock_timestamp() WHERE id = $1",
                [.int64(run), .int64(number)]
            )
            return outcome
        }
    }

    private func isActiveSpace(_ connection: PostgresConnection) throws -> Bool {
        let rows = try connection.execute(
            "SELECT id FROM semblance.spaces WHERE activation > 0 ORDER BY activation DESC LIMIT 1"
        ).rows
        let isActive = rows.first?.int64(0) == space.id
        state.withLock { $0.isActive = isActive }
        return isActive
    }

    /// Writes vectors into the bot's rows, which are locked in the order of their ids, as everybody does who can.
    ///
    /// - Returns: The images that were still there.
    private func publish(
        _ blobs: [(image: ImageRecord, blob: [UInt8])],
        _ connection: PostgresConnection
    ) throws -> Set<Int64> {
        guard !blobs.isEmpty else { return [] }
        let images: [PostgresValue] = [
            .int64s(blobs.map(\.image.id)), .texts(blobs.map(\.image.fileUniqueID)), .bytes(blobs.map(\.blob)),
        ]
        let wanted = "unnest($1::bigint[], $2::text[], $3::bytea[]) AS w(id, unique_id, blob)"
        try connection.execute(
            """
            SELECT 1 FROM images i JOIN \(wanted) ON i.id = w.id AND i.file_unique_id = w.unique_id
            ORDER BY i.id FOR NO KEY UPDATE OF i
            """,
            images
        )
        try keepReplaced(blobs.map(\.image.id), connection)
        let rows = try connection.execute(
            """
            UPDATE images i SET embedding = w.blob, embedding_model = $4 FROM \(wanted)
            WHERE i.id = w.id AND i.file_unique_id = w.unique_id RETURNING i.id::bigint
            """,
            images + [.text(space.space.model)]
        ).rows
        return Set(rows.compactMap { $0.int64(0) })
    }

    /// Keeps what stands in the bot's rows and was not made by us.
    private func keepReplaced(_ images: [Int64], _ connection: PostgresConnection) throws {
        let spaces = try connection.execute("SELECT id FROM semblance.spaces").rows.compactMap { $0.int64(0) }
        let ours = spaces.map { space in
            """
            AND NOT EXISTS (SELECT 1 FROM semblance.vectors_\(space) v
                WHERE v.image_id = i.id AND v.blob_digest = sha256(i.embedding))
            """
        }
        try connection.execute(
            """
            INSERT INTO semblance.replaced (image_id, file_unique_id, embedding, embedding_model)
            SELECT i.id, i.file_unique_id, i.embedding, i.embedding_model FROM images i
            WHERE i.id = ANY ($1) AND i.embedding IS NOT NULL \(ours.joined(separator: " "))
            """,
            [.int64s(images)]
        )
    }

    private func insert(_ vectors: [(NewVector, blob: [UInt8])], _ connection: PostgresConnection) throws {
        guard !vectors.isEmpty else { return }
        let ids = vectors.map(\.0.image.id)
        try connection.execute("DELETE FROM \(database.table(space)) WHERE image_id = ANY ($1)", [.int64s(ids)])
        try connection.execute(
            "DELETE FROM semblance.failures WHERE space_id = $2 AND image_id = ANY ($1)",
            [.int64s(ids), .int64(space.id)]
        )
        let rows = vectors.map { vector, blob in
            VectorRow(
                imageID: vector.image.id,
                fileUniqueID: vector.image.fileUniqueID,
                owner: vector.image.chatID.flatMap { owners?.owner(ofChat: $0) } ?? 0,
                isPublished: isActive,
                blob: blob,
                blobDigest: SHA256Digest(of: blob).bytes,
                sourceDigest: vector.source.digest,
                sourceFingerprint: vector.source.fingerprint,
                sourceSize: Int64(vector.source.byteCount),
                perceptualHash: Int64(bitPattern: vector.source.perceptualHash.bits)
            )
        }
        try database.insert(rows, into: space, isVector: isVector, run: run, connection)
    }

    private func count(embedded: Int, failed: Int, _ connection: PostgresConnection) throws {
        try connection.execute(
            "UPDATE semblance.runs SET embedded = embedded + $2, failed = failed + $3 WHERE id = $1",
            [.int64(run), .int64(Int64(embedded)), .int64(Int64(failed))]
        )
    }
}
