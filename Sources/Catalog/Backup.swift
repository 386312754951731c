import Foundation
import GRDB
import Glibc
package import SystemPackage

/// A verified copy of the bot's database, made before the first vector of a run is replaced.
package enum Backup {
    /// Copies the database with SQLite's backup interface, checks the copy, and gives it its name only then.
    ///
    /// The copy goes in steps of a few megabytes, so that the bot can write between them.
    ///
    /// - Returns: The copy, beside the database: `NAME.backup-20260102T030405Z`.
    /// - Throws: `.cannotWrite` where less than 1.2 times the database's size is free.
    package static func make(of main: MainDatabase) throws(CatalogError) -> FilePath {
        try checkSpace(for: main.path)
        let stamp = Date().formatted(
            .iso8601.year().month().day().dateSeparator(.omitted).time(includingFractionalSeconds: false)
                .timeSeparator(.omitted)
        )
        let target = FilePath(main.path.string + ".backup-" + stamp + "Z")
        let unfinished = FilePath(target.string + ".part")
        defer { unlink(unfinished.string) }
        try CatalogError.naming(unfinished.string) {
            unlink(unfinished.string)
            try PrivateFile.make(unfinished)
            let copy = try DatabaseQueue(path: unfinished.string)
            try main.withoutTransaction { source in
                try copy.inDatabase { try source.backup(to: $0, pagesPerStep: 2048) }
            }
            let verdict = try copy.inDatabase { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
            try copy.close()
            guard verdict == "ok" else {
                throw CatalogError(
                    .corrupt,
                    "\(main.path) is damaged (\(verdict ?? "no verdict")); nothing was changed"
                )
            }
        }
        try publish(unfinished, as: target)
        return target
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

    private static func checkSpace(for database: FilePath) throws(CatalogError) {
        var status = stat()
        var volume = statvfs()
        guard stat(database.string, &status) == 0,
            statvfs(database.removingLastComponent().string, &volume) == 0
        else { throw CatalogError(.cannotWrite, "The space beside \(database) cannot be told") }
        let free = Double(volume.f_bavail) * Double(volume.f_frsize)
        guard free >= 1.2 * Double(status.st_size) else {
            throw CatalogError(
                .cannotWrite,
                "There is too little space beside \(database) for a backup before stale vectors are replaced. "
                    + "Free some, or pass --no-backup"
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
