import SystemPackage

/// Lines that another program or a person hands in.
enum StandardInput {
    /// Calls a function with each line's bytes, without the line feed, as soon as the line is there.
    static func forEachLine(_ body: ([UInt8]) throws -> Void) throws {
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try FileDescriptor.standardInput.read(into: $0) }
            guard count > 0 else { break }
            for byte in chunk[..<count] {
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    continue
                }
                try body(line)
                line = []
            }
        }
        if !line.isEmpty { try body(line) }
    }
}

extension FilePath {
    /// A path of bytes, which need not be UTF-8; what stands behind a NUL does not count.
    init(bytes: [UInt8]) {
        self = (bytes + [0]).withUnsafeBytes { buffer in
            buffer.assumingMemoryBound(to: CChar.self).baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
        }
    }
}
