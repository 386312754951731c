import Digests
import SystemPackage

extension Hub.Digest {
    /// Whether a file is there and has this digest and size.
    func isThat(of path: FilePath, size: Int) -> Bool {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return false }
        defer { try? file.close() }
        guard let length = try? file.seek(offset: 0, from: .end), length == size else { return false }
        return isThat(of: file, length: size)
    }

    /// Whether the first bytes of an open file have this digest; they are read a MiB at a time.
    func isThat(of file: FileDescriptor, length: Int) -> Bool {
        switch self {
        case .sha256(let expected): return Self.hash(file, length, DigestHasher()) == expected
        case .gitBlob(let expected):
            let hasher = DigestHasher(.sha1)
            Array("blob \(length)\0".utf8).withUnsafeBytes { hasher.update($0) }
            return Self.hash(file, length, hasher) == expected
        }
    }

    private static func hash(_ file: FileDescriptor, _ length: Int, _ hasher: DigestHasher) -> String? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < length {
            let count = (try? file.read(fromAbsoluteOffset: Int64(offset), into: buffer)) ?? 0
            guard count > 0 else { return nil }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
        }
        return hasher.finish().hexadecimal
    }
}
