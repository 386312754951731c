import Foundation
package import GRDB
import Glibc
package import SystemPackage

/// Verified copies of databases that are in use.
package enum Backup {
    /// Copies the bot's database, as it is before the first vector of a run is replaced.
    ///
    /// - Returns: The copy, beside the database: `NAME.backup-20260102T030405Z`.
    /// - Throws: `.cannotWrite` where less than 1.2 times the database's size is free.
    package static func make(of main: SQLiteMainDatabase) throws(CatalogError) -> FilePath {
        let stamp = Date().formatted(
            .iso8601.year().month().day().dateSeparator(.omitted).time(includingFractionalSeconds: false)
                .timeSeparator(.omitted)
        )
        let target = FilePath(main.path.string + ".backup-" + stamp + "Z")
        try copy(main, to: target)
        return target
    }

    /// Copies a database with SQLite's backup interface, checks the copy, and gives it its name only then.
    ///
    /// A database with a write-ahead log is copied in one go from one state of it, whatever is written meanwhile; another
    /// one in steps of a few megabytes, so that others can write between them.
    package static func copy(_ database: some CopiedDatabase, to target: FilePath) throws(CatalogError) {
        try checkSpace(for: database.path, beside: target)
        let unfinished = FilePath(target.string + ".part")
        defer { unlink(unfinished.string) }
        try CatalogError.naming(unfinished.string) {
            unlink(unfinished.string)
            try PrivateFile.make(unfinished)
            let copy = try DatabaseQueue(path: unfinished.string)
            try database.withoutTransaction { source in
                let hasLog = try String.fetchOne(source, sql: "PRAGMA journal_mode") == "wal"
                try copy.inDatabase { try source.backup(to: $0, pagesPerStep: hasLog ? -1 : 2048) }
            }
            let verdict = try copy.inDatabase { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
            try copy.close()
            guard verdict == "ok" else {
                throw CatalogError(
                    .corrupt,
                    "\(database.path) is damaged (\(verdict ?? "no verdict")); nothing was changed"
                )
            }
        }
        try publish(unfinished, as: target)
    }

    /// Removes what a run that was killed while copying left behind; called with the run's lock held.
    package static func removeUnfinished(beside database: FilePath) {
        let folder = database.removingLastComponent()
        let prefix = (database.lastComponent?.string ?? "") + ".backup-"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
        for name in names where name.hasPrefix(prefix) && name.contains(".part") {
            unlink(folder.string + "/" + name)
        }
    }

    private static func checkSpace(for database: FilePath, beside target: FilePath) throws(CatalogError) {
        var status = stat()
        var volume = statvfs()
        guard stat(database.string, &status) == 0,
            statvfs(target.removingLastComponent().string, &volume) == 0
        else { throw CatalogError(.cannotWrite, "The folder of \(target) cannot be looked into") }
        let free = Double(volume.f_bavail) * Double(volume.f_frsize)
        guard free >= 1.2 * Double(status.st_size) else {
            throw CatalogError(
                .cannotWrite,
                "There is too little space for \(target), a backup of \(database). Free some (generate does without one "
                    + "with --no-backup)"
            )
        }
    }

    private static func publish(_ file: FilePath, as target: FilePath) throws(CatalogError) {
        for path in ["-journal", "-wal", "-shm"] { unlink(file.string + path) }
        let descriptor = open(file.string, O_RDONLY | O_CLOEXEC)
        let isSynced = descriptor >= 0 && fsync(descriptor) == 0
        if descriptor >= 0 { close(descriptor) }
        let folder = open(target.removingLastComponent().string, O_RDONLY | O_CLOEXEC)
        defer { if folder >= 0 { close(folder) } }
        guard isSynced, rename(file.string, target.string) == 0, folder < 0 || fsync(folder) == 0 else {
            throw CatalogError(.cannotWrite, "\(target) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}

/// A database that can be copied, and watched, while it is in use.
package protocol CopiedDatabase {
    var path: FilePath { get }

    /// Runs statements outside any transaction.
    func withoutTransaction<Result>(_ work: (Database) throws -> Result) throws(CatalogError) -> Result
}

extension CopiedDatabase {
    /// A number that changes when another connection, of whatever program, has written.
    package func dataVersion() throws(CatalogError) -> Int {
        try withoutTransaction { try Int.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }
}

extension SQLiteMainDatabase: CopiedDatabase {}
extension SQLiteVectorDatabase: CopiedDatabase {}
