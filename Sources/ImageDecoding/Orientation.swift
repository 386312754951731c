/// How a camera held sideways asks its picture to be turned: the value of EXIF's tag 0x0112, 1…8.
struct Orientation: Sendable, Equatable {
    /// 1 is upright; 2, 4, 5 and 7 are mirrored; 5 to 8 swap width and height.
    let value: Int

    /// The picture is upright as stored.
    static let upright = Orientation(value: 1)

    /// Reads the tag from an EXIF block (a TIFF header and its first directory); anything odd means upright.
    init(exif: ArraySlice<UInt8>) {
        self = Self.read(exif.starts(with: "Exif\0\0".utf8) ? exif.dropFirst(6) : exif) ?? .upright
    }

    private init(value: Int) { self.value = value }

    private static func read(_ tiff: ArraySlice<UInt8>) -> Orientation? {
        let bytes = ByteReader(tiff.prefix(65_536), bigEndian: tiff.starts(with: "MM".utf8))
        guard tiff.starts(with: "MM".utf8) || tiff.starts(with: "II".utf8), bytes.word16(at: 2) == 42,
            let directory = bytes.word32(at: 4), let entries = bytes.word16(at: directory)
        else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = bytes.word16(at: offset) else { return nil }
            guard tag == 0x0112 else { continue }
            guard bytes.word16(at: offset + 2) == 3, let value = bytes.word16(at: offset + 8), 1...8 ~= value else {
                return nil
            }
            return Orientation(value: value)
        }
        return nil
    }

    /// Turns a stored picture upright.
    func apply(to image: PixelImage) -> PixelImage {
        guard value > 1 else { return image }
        let swapsSides = value >= 5
        let width = swapsSides ? image.height : image.width
        let height = swapsSides ? image.width : image.height
        var samples = [UInt8](repeating: 0, count: image.samples.count)
        for y in 0..<height {
            for x in 0..<width {
                let (column, row) = source(x: x, y: y, storedWidth: image.width, storedHeight: image.height)
                let from = 3 * (row * image.width + column)
                let to = 3 * (y * width + x)
                for channel in 0..<3 { samples[to + channel] = image.samples[from + channel] }
            }
        }
        return PixelImage(width: width, height: height, samples: samples)
    }

    private func source(x: Int, y: Int, storedWidth: Int, storedHeight: Int) -> (column: Int, row: Int) {
        let right = storedWidth - 1
        let bottom = storedHeight - 1
        return switch value {
        case 2: (right - x, y)
        case 3: (right - x, bottom - y)
        case 4: (x, bottom - y)
        case 5: (y, x)
        case 6: (y, bottom - x)
        case 7: (right - y, bottom - x)
        case 8: (right - y, x)
        default: (x, y)
        }
    }
}
