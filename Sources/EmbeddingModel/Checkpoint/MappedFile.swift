import Digests
import Glibc
import SystemPackage

/// A file's bytes, mapped read-only: they are read from the page cache when touched and take no memory of ours.
///
/// The file is opened once; what is hashed is what the model later uses, even if another file takes its name.
///
/// - Note: `@unchecked Sendable` because the mapping is read-only and lives as long as the object.
final class MappedFile: @unchecked Sendable {
    /// The file's bytes.
    let bytes: UnsafeRawBufferPointer

    /// Maps a file.
    ///
    /// - Throws: `.missing` where it cannot be opened, `.damaged` where it is empty or no file.
    init(_ path: FilePath) throws(EmbeddingModelError) {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            throw EmbeddingModelError(.missing, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
            let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else { throw EmbeddingModelError(.damaged, "\(path) is empty or not a file that can be mapped") }
        bytes = UnsafeRawBufferPointer(start: address, count: Int(status.st_size))
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    /// The SHA-256 of the whole file: about half a second for 605 MB.
    var digest: SHA256Digest { SHA256Digest(of: bytes) }
}
