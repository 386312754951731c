import Foundation
import SystemPackage

/// A file that is being downloaded, under the name `NAME.<digest>.part` beside its place.
///
/// The part of another version is therefore never gone on with. One process at a time has it open.
final class PartFile {
    /// The bytes that are there.
    private(set) var length = 0
    private let path: FilePath
    private let descriptor: FileDescriptor

    /// Opens the part, or begins it.
    ///
    /// - Throws: `.tryLater` where another process downloads the file, `.cannotWrite`.
    init(_ path: FilePath) throws(HubError) {
        self.path = path
        do {
            descriptor = try FileDescriptor.open(
                path,
                .readWrite,
                options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
        } catch {
            throw HubError(.cannotWrite, "\(path) cannot be written: \(error)")
        }
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw HubError(.tryLater, "\(path) is being downloaded by another program; wait for it, or end it")
        }
        length = Int((try? descriptor.seek(offset: 0, from: .end)) ?? 0)
    }

    /// Runs as well where another process has it: what was opened is closed here and nowhere else.
    deinit { try? descriptor.close() }

    /// Adds bytes at the end.
    func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
        do {
            try descriptor.writeAll(toAbsoluteOffset: Int64(length), bytes)
        } catch {
            throw HubError(
                .cannotWrite,
                "\(path) cannot be written: \(error). What was downloaded stays; make room and run it again"
            )
        }
        length += bytes.count
    }

    /// Throws away what is there.
    func clear() throws(HubError) {
        guard ftruncate(descriptor.rawValue, 0) == 0 else { throw HubError(.cannotWrite, "\(path) cannot be written") }
        length = 0
    }

    /// Whether the bytes have a digest.
    func matches(_ digest: Hub.Digest) -> Bool { digest.isThat(of: descriptor, length: length) }

    /// Brings the bytes to the disk and gives them their name.
    func finish(as target: FilePath) throws(HubError) {
        let isRenamed = fsync(descriptor.rawValue) == 0 && rename(path.string, target.string) == 0
        guard isRenamed else { throw HubError(.cannotWrite, "\(target) cannot be written: \(Errno(rawValue: errno))") }
        guard let folder = try? FileDescriptor.open(target.removingLastComponent(), .readOnly) else { return }
        fsync(folder.rawValue)
        try? folder.close()
    }
}
