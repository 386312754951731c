import ImageDecoding
import SystemPackage

/// A picture's file, named by the user.
enum PictureFile {
    /// The file's bytes, up to one more than the limit, which tells a file that is too large.
    static func read(_ file: FilePath) throws -> [UInt8] {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec, .nonBlocking])
        } catch {
            throw CommandError(.missingFile, "the file cannot be opened: \(error)")
        }
        return try descriptor.closeAfter {
            let length = min(Int(try descriptor.seek(offset: 0, from: .end)), ImageLimits.standard.fileBytes + 1)
            var count = 0
            return try [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
                while count < length {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    let got = try descriptor.read(fromAbsoluteOffset: Int64(count), into: rest)
                    guard got > 0 else { break }
                    count += got
                }
                initialized = count
            }
        }
    }
}
