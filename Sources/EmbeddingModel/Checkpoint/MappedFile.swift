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
    private let isAnonymous: Bool

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
        isAnonymous = false
    }

    /// Memory with the given pieces in it, where there is no file to map.
    init(holding pieces: [[UInt8]]) {
        let count = pieces.reduce(0) { $0 + $1.count }
        let address = mmap(nil, max(count, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address, address != MAP_FAILED else { preconditionFailure("there is no memory for \(count) bytes") }
        var offset = 0
        for piece in pieces {
            piece.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(start: address + offset, count: $0.count).copyMemory(from: $0)
            }
            offset += piece.count
        }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
        isAnonymous = true
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), max(bytes.count, 1)) }

    /// The SHA-256 of a part of the file: about half a second for 605 MB, which pass through memory piece by piece.
    func digest(of range: Range<Int>) -> SHA256Digest {
        let hasher = DigestHasher()
        let pieceLength = 8 << 20
        for start in stride(from: range.lowerBound, to: range.upperBound, by: pieceLength) {
            let piece = start..<min(start + pieceLength, range.upperBound)
            hasher.update(UnsafeRawBufferPointer(rebasing: bytes[piece]))
            release(piece)
        }
        return SHA256Digest(hashed: hasher)
    }

    /// Gives back the memory of pages that will hardly be read again; one that is comes from the page cache anew.
    func release(_ range: Range<Int>) {
        guard !isAnonymous, let base = bytes.baseAddress else { return }
        let page = Int(getpagesize())
        let start = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
    }
}
