import SystemPackage

/// A zip file whose members are stored as they are, written member by member; what NumPy's `.npz` files are.
///
/// A member's bytes are asked for twice, once for their checksum, so that none has to be held in memory.
struct ZipWriter {
    private let file: FileDescriptor
    private var offset: UInt32 = 0
    private var directory = Record()
    private var count: UInt16 = 0

    /// Hands out a member's bytes, piece by piece.
    typealias Content = (_ take: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

    init(_ file: FileDescriptor) { self.file = file }

    /// Writes a member.
    ///
    /// - Throws: `CommandError` where the file would have more than 4 GiB, which the format's simple form cannot tell.
    mutating func add(_ name: String, _ content: Content) throws {
        var checksum = Checksum()
        var size = 0
        try content { bytes in
            checksum.add(bytes)
            size += bytes.count
        }
        guard size + Int(offset) < Int(UInt32.max) - 1_000_000 else {
            throw CommandError(.usage, "A NumPy archive holds at most 4 GiB; export into a .jsonl file")
        }
        var facts = Record()
        facts.add(version, UInt16(0), UInt16(0))
        facts.add(UInt32(0x0021_0000), checksum.value, UInt32(size), UInt32(size))
        facts.add(UInt16(name.utf8.count), UInt16(0))
        var head = Record()
        head.add(UInt32(0x0403_4B50))
        head.bytes += facts.bytes + Array(name.utf8)
        try file.writeAll(head.bytes)
        try content { try file.writeAll($0) }
        directory.add(UInt32(0x0201_4B50))
        directory.add(version)
        directory.bytes += facts.bytes
        directory.add(UInt16(0), UInt16(0), UInt16(0))
        directory.add(UInt32(0), offset)
        directory.bytes += Array(name.utf8)
        offset += UInt32(head.bytes.count + size)
        count += 1
    }

    /// Writes the directory at the end.
    func finish() throws {
        var end = Record()
        end.add(UInt32(0x0605_4B50))
        end.add(UInt16(0), UInt16(0), count, count)
        end.add(UInt32(directory.bytes.count), offset)
        end.add(UInt16(0))
        try file.writeAll(directory.bytes + end.bytes)
    }

    /// What reads the file must understand version 2.0 of the format.
    private let version: UInt16 = 20

    /// Numbers one behind the other, little endian.
    private struct Record {
        var bytes: [UInt8] = []

        mutating func add<Number: FixedWidthInteger>(_ numbers: Number...) {
            for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
        }
    }

    /// CRC-32 as zip files have it: the polynomial 0x04C11DB7, bits reversed.
    struct Checksum {
        private var register: UInt32 = 0xFFFF_FFFF

        private static let table: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }

        var value: UInt32 { ~register }

        mutating func add(_ bytes: UnsafeRawBufferPointer) {
            var value = register
            Self.table.withUnsafeBufferPointer { table in
                for byte in bytes { value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
            }
            register = value
        }
    }
}
