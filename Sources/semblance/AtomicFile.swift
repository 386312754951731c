import Glibc
import SystemPackage

/// A file that gets its name when it is complete; what had the name before stays until then.
enum AtomicFile {
    /// - Throws: `CommandError` where it cannot be written; whatever the work throws.
    static func write<Value>(_ path: FilePath, _ work: (FileDescriptor) throws -> Value) throws -> Value {
        let part = FilePath("\(path).part")
        do {
            let file = try FileDescriptor.open(
                part,
                .writeOnly,
                options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite]
            )
            let value = try file.closeAfter {
                let value = try work(file)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
                return value
            }
            let isRenamed = part.withPlatformString { from in path.withPlatformString { rename(from, $0) } } == 0
            guard isRenamed else { throw Errno(rawValue: errno) }
            return value
        } catch {
            _ = part.withPlatformString { unlink($0) }
            guard let reason = error as? Errno else { throw error }
            throw CommandError(.cannotWrite, "\(path) cannot be written: \(reason)")
        }
    }
}
