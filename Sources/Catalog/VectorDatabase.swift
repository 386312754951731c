import CSQLite
import GRDB
import Glibc
package import SystemPackage
package import Vectors

/// Our own database beside the bot's: spaces, vectors with their provenance, the index, failures, runs.
///
/// One connection; a rollback journal, so that readers of other processes need no files of their own; full
/// synchronisation. It can be deleted at any time: what it held is computed again.
package final class VectorDatabase: Sendable {
    /// The database file.
    package let path: FilePath
    /// The sqlite-vec extension, or why the index does without.
    package let indexExtension: IndexExtension
    private let queue: DatabaseQueue

    /// Whether sqlite-vec is there.
    package enum IndexExtension: Sendable, Equatable {
        case loaded(version: String)
        case unavailable(reason: String)
    }

    /// Opens the database; a writing connection makes it where it is not there.
    ///
    /// - Parameter extensionPath: The file of sqlite-vec, without which nothing is indexed.
    package init(
        path: FilePath,
        isReadOnly: Bool,
        extensionPath: FilePath?,
        patience: LockPatience = LockPatience()
    ) throws(CatalogError) {
        self.path = path
        let file = path.string
        if !isReadOnly { try PrivateFile.make(path) }
        (queue, indexExtension) = try CatalogError.naming(file) {
            var configuration = Configuration()
            configuration.readonly = isReadOnly
            configuration.busyMode = patience.busyMode
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;")
            }
            let queue = try DatabaseQueue(path: file, configuration: configuration)
            if !isReadOnly {
                try queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                guard try !queue.read(VectorMigrations.migrator.hasBeenSuperseded) else { throw Self.tooNew(file) }
                try VectorMigrations.migrator.migrate(queue)
            } else {
                guard try !queue.read(VectorMigrations.migrator.hasBeenSuperseded) else { throw Self.tooNew(file) }
            }
            return (queue, queue.inDatabase { Self.loadExtension(extensionPath, into: $0) })
        }
    }

    /// Opens the database for reading if it is there and has been filled before; otherwise there is nothing to read.
    package static func existing(
        path: FilePath,
        extensionPath: FilePath? = nil
    ) throws(CatalogError) -> VectorDatabase? {
        guard path.withPlatformString({ access($0, F_OK) }) == 0 else { return nil }
        let database = try VectorDatabase(path: path, isReadOnly: true, extensionPath: extensionPath)
        return try database.read { try $0.tableExists("spaces") } ? database : nil
    }

    private static func tooNew(_ file: String) -> CatalogError {
        CatalogError(.schema, "\(file) was made by a newer Semblance; use that one, or delete the file to rebuild it")
    }

    /// The corresponding C function is `sqlite3_load_extension`; SQL's own function of that kind stays forbidden.
    private static func loadExtension(_ path: FilePath?, into db: Database) -> IndexExtension {
        guard let path else { return .unavailable(reason: "sqlite-vec is not there") }
        var message: UnsafeMutablePointer<CChar>?
        _ = semblance_allow_extensions(db.sqliteConnection, 1)
        defer { _ = semblance_allow_extensions(db.sqliteConnection, 0) }
        let status = sqlite3_load_extension(db.sqliteConnection, path.string, "sqlite3_vec_init", &message)
        defer { sqlite3_free(message) }
        guard status == SQLITE_OK, let version = try? String.fetchOne(db, sql: "SELECT vec_version()") else {
            let reason = message.map { String(cString: $0) } ?? "error \(status)"
            return .unavailable(reason: "\(path) cannot be loaded: \(reason)")
        }
        return .loaded(version: version)
    }

    /// Closes the connection.
    package func close() throws(CatalogError) { try CatalogError.naming(path.string) { try queue.close() } }

    func read<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.read(work) }
    }

    func write<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.write(work) }
    }

    /// A space as stored.
    package struct StoredSpace: Sendable, Equatable {
        package let id: Int64
        package let space: EmbeddingSpace
    }

    /// The spaces, the one last used first.
    package func spaces() throws(CatalogError) -> [StoredSpace] {
        try read { db in
            let sql = """
                SELECT id, model, weights_digest, preprocessing_version, dimension FROM spaces
                ORDER BY activation DESC
                """
            return try Row.fetchAll(db, sql: sql).map { row in
                let space = EmbeddingSpace(
                    model: row[1],
                    weightsDigest: row[2],
                    preprocessingVersion: row[3],
                    dimension: row[4]
                )
                return StoredSpace(id: row[0], space: space)
            }
        }
    }

    /// The space that a model's vectors were last stored in.
    package func activeSpace(model: String) throws(CatalogError) -> StoredSpace? {
        try spaces().first { $0.space.model == model }
    }

    /// Makes a space the active one of its model, adding it where it is new.
    package func activate(_ space: EmbeddingSpace) throws(CatalogError) -> StoredSpace {
        let id = try write { db in
            try db.execute(
                sql: """
                    INSERT INTO spaces (model, weights_digest, preprocessing_version, dimension, activation)
                    VALUES (?, ?, ?, ?, (SELECT coalesce(max(activation), 0) + 1 FROM spaces))
                    ON CONFLICT DO UPDATE SET activation = excluded.activation
                    WHERE activation < excluded.activation - 1
                    """,
                arguments: [space.model, space.weightsDigest, space.preprocessingVersion, space.dimension]
            )
            return try Int64.fetchOne(
                db,
                sql: """
                    SELECT id FROM spaces
                    WHERE model = ? AND weights_digest = ? AND preprocessing_version = ? AND dimension = ?
                    """,
                arguments: [space.model, space.weightsDigest, space.preprocessingVersion, space.dimension]
            )
        }
        guard let id else { throw CatalogError(.corrupt, "\(path): the space of \(space.model) was not stored") }
        return StoredSpace(id: id, space: space)
    }

    /// Forgets failures of some classes in the spaces of a model, so that the next run tries the images again.
    ///
    /// - Returns: How many there were.
    package func forgetFailures(of kinds: [FailureRecord.Class], model: String) throws(CatalogError) -> Int {
        try write { db in
            var count = 0
            for kind in kinds {
                try db.execute(
                    sql: "DELETE FROM failures WHERE class = ? AND space_id IN (SELECT id FROM spaces WHERE model = ?)",
                    arguments: [kind.rawValue, model]
                )
                count += db.changesCount
            }
            return count
        }
    }

    /// How many vectors a space has.
    package func vectorCount(in space: StoredSpace) throws(CatalogError) -> Int {
        try read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM vectors WHERE space_id = ?", arguments: [space.id]) ?? 0
        }
    }

    /// What is known about images of a range of ids, by image id.
    ///
    /// - Parameter only: The ids within the range that are wanted; `nil` for all.
    func records(
        in space: StoredSpace,
        imageIDs: ClosedRange<Int64>,
        only: [Int64]? = nil
    ) throws(CatalogError) -> (vectors: [Int64: VectorRecord], failures: [Int64: FailureRecord]) {
        var arguments: StatementArguments = [space.id, imageIDs.lowerBound, imageIDs.upperBound]
        if let only { arguments += [jsonArray(only)] }
        let chosen = only == nil ? "" : "AND image_id IN (SELECT value FROM json_each(?))"
        return try read { db in
            let vectors = try Row.fetchAll(
                try db.cachedStatement(
                    sql: """
                        SELECT image_id, id, file_unique_id, blob_digest, published FROM vectors
                        WHERE space_id = ? AND image_id BETWEEN ? AND ? \(chosen)
                        """
                ),
                arguments: arguments
            ).map { row in
                VectorRecord(
                    id: row[1],
                    imageID: row[0],
                    fileUniqueID: row[2],
                    blobDigest: row.bytes(at: 3) ?? [],
                    isPublished: row[4]
                )
            }
            let failures = try Row.fetchAll(
                try db.cachedStatement(
                    sql: """
                        SELECT image_id, file_unique_id, class, fingerprint, attempts, next_attempt, message FROM failures
                        WHERE space_id = ? AND image_id BETWEEN ? AND ? \(chosen)
                        """
                ),
                arguments: arguments
            ).compactMap(Self.failure)
            return (
                Dictionary(vectors.map { ($0.imageID, $0) }) { first, _ in first },
                Dictionary(failures.map { ($0.imageID, $0) }) { first, _ in first }
            )
        }
    }

    private static func failure(_ row: Row) -> FailureRecord? {
        FailureRecord.Class(rawValue: row[2]).map { kind in
            FailureRecord(
                imageID: row[0],
                fileUniqueID: row[1],
                kind: kind,
                fingerprint: row[3],
                attempts: row[4],
                nextAttempt: row[5],
                message: row[6]
            )
        }
    }
}
