import GRDB
import Glibc
import SystemPackage

/// Keeps the bot's write-ahead log small without meeting SQLite's "WAL-reset" bug.
///
/// In releases before 3.51.3, a checkpoint by one connection while another commits can lose pages. So no connection
/// of ours checkpoints on its own; when the log has passed 64 MiB, one connection takes the write lock, which keeps
/// everybody from committing, while another checkpoints.
enum LogGuard {
    static let threshold = 64 << 20

    static func checkpointIfLarge(_ main: SQLiteMainDatabase, threshold: Int = threshold) throws(CatalogError) {
        let log = main.path.string + "-wal"
        var status = stat()
        guard stat(log, &status) == 0, Int(status.st_size) > threshold else { return }
        try CatalogError.naming(main.path.string) {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.foreignKeysEnabled = false
            let checkpointer = try DatabaseQueue(path: main.path.string, configuration: configuration)
            try main.write { _ in
                try checkpointer.inDatabase { db in
                    try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
                    _ = try db.checkpoint(.passive)
                }
            }
            try checkpointer.close()
        }
    }
}
