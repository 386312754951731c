import CSQLite
package import GRDB
import Glibc
package import SystemPackage

/// Our own database as a file beside the bot's.
///
/// One connection; a rollback journal, so that readers of other processes need no files of their own; full
/// synchronisation. It can be deleted at any time: what it held is computed again.
package final class SQLiteVectorDatabase: VectorDatabase {
    /// The database file.
    package let path: FilePath
    package var name: String { path.string }
    /// The sqlite-vec extension, or why the index does without.
    package let indexExtension: IndexExtension
    /// Whether the table of vectors says how the pictures look; one of the first version does not until a writer opens it.
    let knowsPictures: Bool
    private let queue: DatabaseQueue

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
        (queue, indexExtension, knowsPictures) = try CatalogError.naming(file) {
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
            return try queue.inDatabase { db in
                let columns = try db.tableExists("vectors") ? db.columns(in: "vectors").map(\.name) : []
                return (queue, Self.loadExtension(extensionPath, into: db), columns.contains("perceptual_hash"))
            }
        }
    }

    /// Opens the database for reading if it is there and has been filled before; otherwise there is nothing to read.
    ///
    /// Where a run of ours died in the middle of a write, that is put right first: the file is ours, and no one has to run
    /// `generate` before a search works again.
    package static func existing(
        path: FilePath,
        extensionPath: FilePath? = nil
    ) throws(CatalogError) -> SQLiteVectorDatabase? {
        guard path.withPlatformString({ access($0, F_OK) }) == 0 else { return nil }
        let database: SQLiteVectorDatabase
        do throws(CatalogError) {
            database = try SQLiteVectorDatabase(path: path, isReadOnly: true, extensionPath: extensionPath)
        } catch  where error.code == .unfinished {
            try CatalogError.naming(path.string) { try DatabaseQueue(path: path.string).close() }
            database = try SQLiteVectorDatabase(path: path, isReadOnly: true, extensionPath: extensionPath)
        }
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

    /// Runs statements outside any transaction.
    package func withoutTransaction<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result {
        try CatalogError.naming(path.string) { try queue.inDatabase(work) }
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

    /// What is known about images of a range of ids.
    ///
    /// - Parameter only: The ids within the range that are wanted; `nil` for all.
    package func records(
        in space: StoredSpace?,
        imageIDs: ClosedRange<Int64>,
        only: [Int64]?
    ) throws(CatalogError) -> KnownImages {
        var range: StatementArguments = [imageIDs.lowerBound, imageIDs.upperBound]
        if let only { range += [jsonArray(only)] }
        let chosen = "image_id BETWEEN ? AND ? \(only == nil ? "" : "AND image_id IN (SELECT value FROM json_each(?))")"
        return try read { db in
            var known = KnownImages()
            let vectors = try db.cachedStatement(
                sql: """
                    SELECT space_id, image_id, id, file_unique_id, blob_digest, published, source_digest,
                        \(knowsPictures ? "perceptual_hash IS NOT NULL" : "FALSE") FROM vectors
                    WHERE space_id IN (SELECT id FROM spaces) AND \(chosen)
                    """
            )
            for row in try Row.fetchAll(vectors, arguments: range) {
                let record = VectorRecord(
                    id: row[2],
                    imageID: row[1],
                    fileUniqueID: row[3],
                    blobDigest: row.bytes(at: 4) ?? [],
                    isPublished: row[5],
                    sourceDigest: row.bytes(at: 6) ?? [],
                    isDescribed: row[7]
                )
                if row[0] == space?.id {
                    known.vectors[record.imageID] = record
                } else {
                    known.elsewhere[record.imageID, default: []].append(record)
                }
            }
            let failures = try db.cachedStatement(
                sql: """
                    SELECT image_id, file_unique_id, class, fingerprint, attempts, next_attempt, message FROM failures
                    WHERE space_id = ? AND \(chosen)
                    """
            )
            for row in try Row.fetchAll(failures, arguments: [space?.id] + range) {
                known.failures[row[0]] = Self.failure(row)
            }
            return known
        }
    }

    static func failure(_ row: Row) -> FailureRecord? {
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
