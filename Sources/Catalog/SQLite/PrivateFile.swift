import Glibc
import SystemPackage

/// Files that hold copies of people's data: made with rights for their owner alone, before SQLite opens them.
enum PrivateFile {
    /// Makes an empty file; one that is there already stays as it is.
    static func make(_ path: FilePath) throws(CatalogError) {
        let descriptor = path.withPlatformString { open($0, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600) }
        if descriptor >= 0 { close(descriptor) }
        guard descriptor >= 0 || errno == EEXIST else {
            throw CatalogError(.cannotWrite, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
    }
}
