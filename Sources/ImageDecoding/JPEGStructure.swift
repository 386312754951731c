private import Glibc

/// The markers of a JPEG: what must be known before the decoder may take memory for it.
struct JPEGStructure {
    private(set) var size = (width: 0, height: 0)
    private(set) var orientation = Orientation.upright
    private(set) var components = 0
    /// Whether the file has the marker that ends every JPEG.
    private(set) var isComplete = false

    /// Walks the segments up to the end of the file and counts its scans.
    init(of file: [UInt8], limits: ImageLimits) throws(ImageDecodingError) {
        var offset = 2
        var scans = 0
        while !isComplete, let marker = Self.nextMarker(in: file, from: &offset) {
            isComplete = marker == 0xD9
            guard !Self.standsAlone(marker) else { continue }
            guard offset + 2 <= file.count else { break }
            let length = Int(file[offset]) << 8 | Int(file[offset + 1])
            guard length >= 2 else { throw ImageDecodingError(.corrupt, "a JPEG segment has an impossible length") }
            let payload = file[min(offset + 2, file.count)..<min(offset + length, file.count)]
            switch marker {
            case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
                try readFrame(marker: marker, payload: payload)
            case 0xE1 where payload.starts(with: "Exif\0\0".utf8) && orientation == .upright:
                orientation = Orientation(exif: payload)
            case 0xDA:
                scans += 1
                guard scans <= limits.scans else {
                    throw ImageDecodingError(.tooLarge, "the JPEG has more than \(limits.scans) scans")
                }
            default: break
            }
            offset += length
        }
        guard components > 0 else { throw ImageDecodingError(.truncated, "the JPEG ends before its picture begins") }
    }

    /// The next marker at or after an offset, which then stands behind it; entropy-coded bytes are passed over.
    private static func nextMarker(in file: [UInt8], from offset: inout Int) -> UInt8? {
        unsafe file.withUnsafeBytes { bytes in
            while offset + 1 < bytes.count {
                guard let base = bytes.baseAddress,
                    let found = unsafe memchr(base + offset, 0xFF, bytes.count - 1 - offset)
                else { break }
                offset = unsafe UnsafeRawPointer(found) - base
                let marker = unsafe bytes[offset + 1]
                if marker != 0 && marker != 0xFF {
                    offset += 2
                    return marker
                }
                offset += 1
            }
            offset = file.count
            return nil
        }
    }

    private static func standsAlone(_ marker: UInt8) -> Bool {
        marker == 0x01 || 0xD0...0xD9 ~= marker
    }

    private mutating func readFrame(marker: UInt8, payload: ArraySlice<UInt8>) throws(ImageDecodingError) {
        let fields = ByteReader(payload, bigEndian: true)
        guard let first = payload.first, let height = fields.word16(at: 1), let width = fields.word16(at: 3),
            payload.count >= 6
        else { throw ImageDecodingError(.truncated, "the JPEG ends inside its frame header") }
        guard [0xC0, 0xC1, 0xC2, 0xC9, 0xCA].contains(marker) else {
            throw ImageDecodingError(.unsupported, "lossless and hierarchical JPEG files are not read")
        }
        guard first == 8 else {
            throw ImageDecodingError(.unsupported, "JPEG files with \(first) bits a sample are not read")
        }
        guard components == 0 else { throw ImageDecodingError(.corrupt, "the JPEG has two frames") }
        components = Int(payload[payload.startIndex + 5])
        guard [1, 3, 4].contains(components) else {
            throw ImageDecodingError(.unsupported, "JPEG files with \(components) components are not read")
        }
        size = (width, height)
    }
}
