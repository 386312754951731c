import Foundation
import Glibc
package import SystemPackage

/// A file that gets its name when it is complete; what had the name before stays until then.
package enum AtomicFile {
    /// - Throws: `CatalogError` where it cannot be written; whatever the work throws.
    package static func write<Value>(_ path: FilePath, _ work: (FileDescriptor) throws -> Value) throws -> Value {
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
            throw CatalogError(.cannotWrite, "\(path) cannot be written: \(reason)")
        }
    }

    /// Writes bytes, and makes the folder where it is missing; both are on the disk when it returns.
    package static func write(_ bytes: [UInt8], _ path: FilePath) throws {
        let folder = path.removingLastComponent()
        do {
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        } catch {
            throw CatalogError(.cannotWrite, "\(folder) cannot be made")
        }
        try write(path) { _ = try $0.writeAll(bytes) }
        guard let descriptor = try? FileDescriptor.open(folder, .readOnly) else { return }
        fsync(descriptor.rawValue)
        try? descriptor.close()
    }
}
