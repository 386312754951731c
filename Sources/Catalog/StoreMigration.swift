import Digests
import PostgreSQL
package import Vectors

/// Moves what our file knows to a server: spaces, vectors, failures, known answers, runs.
///
/// The bot's tables must be there already, with the ids that they had: a vector is moved where the server has the image,
/// by id and by Telegram's name of its file. What is there is left alone, so that a move that was broken off goes on where
/// it was. In the end both sides are read again and compared, by count and by a digest over all vectors; only then the
/// space that answers here answers there.
package struct StoreMigration {
    private let source: SQLiteVectorDatabase
    private let target: PostgresVectorDatabase
    private let main: any MainDatabase

    /// - Parameter main: The bot's database at the server.
    package init(from source: SQLiteVectorDatabase, to target: PostgresVectorDatabase, main: any MainDatabase) {
        self.source = source
        self.target = target
        self.main = main
    }

    /// What was moved of a space.
    package struct Outcome: Sendable {
        package let space: EmbeddingSpace
        /// Vectors that both sides have now.
        package fileprivate(set) var vectors = 0
        /// Those that were there before.
        package fileprivate(set) var present = 0
        /// Vectors of images that the server has not.
        package fileprivate(set) var leftOut = 0
        package fileprivate(set) var failures = 0
    }

    private static let pageSize = 500

    /// Moves everything.
    ///
    /// - Parameter progress: Gets how many vectors were looked at.
    /// - Throws: `.corrupt` where the two sides differ afterwards.
    package func run(progress: (_ done: Int) -> Void) throws(CatalogError) -> [Outcome] {
        var outcomes: [Outcome] = []
        var done = 0
        for space in try source.spaces() {
            try target.add(space.space)
            guard let there = try target.stored(space.space) else { continue }
            var outcome = try moveVectors(of: space, to: there) { count in
                done += count
                progress(done)
            }
            outcome.failures = try moveRest(of: space, to: there)
            outcomes.append(outcome)
        }
        try activate()
        return outcomes
    }

    private func moveVectors(
        of space: StoredSpace,
        to there: StoredSpace,
        _ progress: (Int) -> Void
    ) throws(CatalogError) -> Outcome {
        var outcome = Outcome(space: space.space)
        let isVector = try target.isVector(there)
        let digest = DigestHasher()
        var last: Int64 = .min
        while true {
            let page = try source.rows(in: space, after: last, count: Self.pageSize)
            guard let end = page.last?.imageID else { break }
            last = end
            let images = try main.uniqueIDs(of: page.map(\.imageID))
            let rows = page.filter { images[$0.imageID] == $0.fileUniqueID }
            outcome.leftOut += page.count - rows.count
            let present = try target.records(
                in: there,
                imageIDs: (page.first?.imageID ?? end)...end,
                only: rows.map(\.imageID)
            ).vectors
            let new = rows.filter { present[$0.imageID] == nil }
            try target.server.transaction { try target.insert(new, into: there, isVector: isVector, run: nil, $0) }
            outcome.vectors += rows.count
            outcome.present += present.count
            for row in rows { Self.hash(row.imageID, row.blob, into: digest) }
            progress(page.count)
        }
        guard try self.digest(of: space, there) == digest.finish() else {
            throw CatalogError(
                .corrupt,
                "The vectors of \(space.space.model) in \(target.name) are not those of \(source.name). Nothing answers from "
                    + "them; semblance verify shows which rows of the file are damaged"
            )
        }
        try target.markPublished(there)
        return outcome
    }

    /// A digest over the vectors at the server whose images have one here too.
    private func digest(of space: StoredSpace, _ there: StoredSpace) throws(CatalogError) -> [UInt8] {
        let digest = DigestHasher()
        var last: Int64 = .min
        while true {
            let page = try target.page(in: there, after: last, count: Self.pageSize)
            guard let first = page.first?.imageID, let end = page.last?.imageID else { return digest.finish() }
            last = end
            let here = try source.records(in: space, imageIDs: first...end, only: nil).vectors
            for vector in page where here[vector.imageID]?.fileUniqueID == vector.fileUniqueID {
                Self.hash(vector.imageID, vector.blob, into: digest)
            }
        }
    }

    private static func hash(_ image: Int64, _ blob: [UInt8], into digest: DigestHasher) {
        withUnsafeBytes(of: image.bigEndian) { digest.update($0) }
        blob.withUnsafeBytes { digest.update($0) }
    }

    /// Failures, known answers and runs.
    private func moveRest(of space: StoredSpace, to there: StoredSpace) throws(CatalogError) -> Int {
        let failures = try source.failures(in: space)
        if let answers = try source.knownAnswers(of: space) { try target.keepKnownAnswers(answers, of: there) }
        let runs = try source.runs(in: space)
        try target.server.transaction { connection in
            try target.insert(failures, into: there, connection)
            try connection.execute(
                """
                INSERT INTO semblance.runs (space_id, name, started_at, seen_at, ended_at, embedded, failed)
                SELECT $1, r.name, r.start::timestamptz, r.start::timestamptz, coalesce(r.finish, r.start)::timestamptz,
                    r.embedded, r.failed
                FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
                    AS r(name, start, finish, embedded, failed)
                WHERE NOT EXISTS (SELECT 1 FROM semblance.runs o WHERE o.space_id = $1 AND o.name = r.name)
                """,
                [
                    .int64(there.id), .texts(runs.map { "moved from a file: \($0.id)" }), .texts(runs.map(\.start)),
                    .texts(runs.map(\.end)), .int64s(runs.map(\.3)), .int64s(runs.map(\.4)),
                ]
            )
        }
        return failures.count
    }

    /// Lets the same space answer as here, unless one answers already.
    private func activate() throws(CatalogError) {
        guard try target.activeSpace() == nil else { return }
        for space in try source.spaces().filter({ $0.activation > 0 }).reversed() {
            if let there = try target.stored(space.space) { try target.activate(there) }
        }
    }
}

extension PostgresVectorDatabase {
    /// Marks the vectors that the bot's rows hold.
    fileprivate func markPublished(_ space: StoredSpace) throws(CatalogError) {
        try server.execute(
            """
            UPDATE \(table(space)) v SET published = (v.blob_digest = sha256(i.embedding)) IS TRUE FROM images i
            WHERE i.id = v.image_id AND published <> ((v.blob_digest = sha256(i.embedding)) IS TRUE)
            """
        )
    }
}
