import Glibc
package import SystemPackage

/// Keeps two processes from doing on one database what only one may do: embed, or answer Telegram.
///
/// A lock of the operating system on a file beside the database: it ends with the process, however that ends.
package final class RunLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Parameter activity: What the holder does, for the sentence of the error.
    /// - Throws: `.locked`, naming the process that has it.
    package init(beside database: FilePath, doing activity: String = "embeds") throws(CatalogError) {
        let path = database.string + ".lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CatalogError(.cannotWrite, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 20)
            let count = max(pread(descriptor, &text, text.count, 0), 0)
            let holder = String(decoding: text.prefix(count), as: UTF8.self)
            throw CatalogError(.locked, "Another semblance is running already that \(activity) (process \(holder))")
        }
        ftruncate(descriptor, 0)
        let text = Array(String(getpid()).utf8)
        pwrite(descriptor, text, text.count, 0)
    }

    /// Lets the next backfill begin.
    package func release() { flock(descriptor, LOCK_UN) }

    /// Runs as well where the lock was not got: what was opened is closed here and nowhere else, since its number may be
    /// somebody else's file a moment later.
    deinit { close(descriptor) }
}
