private import CGif

/// GIF files, through giflib: the first frame on its canvas.
enum GIFDecoder {
    /// Width and height of the canvas.
    static func size(of file: [UInt8]) throws(ImageDecodingError) -> (width: Int, height: Int) {
        let fields = ByteReader(file[...], bigEndian: false)
        guard let width = fields.word16(at: 6), let height = fields.word16(at: 8) else {
            throw ImageDecodingError(.truncated, "the GIF ends inside its header")
        }
        return (width, height)
    }

    static func decode(
        _ file: [UInt8],
        header: ImageHeader,
        allowsTruncated: Bool
    ) throws(ImageDecodingError) -> PixelImage {
        let (rgba, status) = unsafe file.withUnsafeBufferPointer { bytes in
            unsafe firstFrame(of: bytes, width: header.width, height: header.height)
        }
        let isCutOff = status == D_GIF_ERR_READ_FAILED || status == D_GIF_ERR_EOF_TOO_SOON
        guard status == D_GIF_SUCCEEDED || (allowsTruncated && isCutOff && !rgba.isEmpty) else {
            let reason = unsafe GifErrorString(status).map { unsafe String(cString: $0) } ?? "error \(status)"
            throw isCutOff
                ? ImageDecodingError(.truncated, "the GIF ends before its picture does")
                : ImageDecodingError(.corrupt, "the GIF cannot be decoded: \(reason)")
        }
        return PixelImage(width: header.width, height: header.height, overWhite: rgba)
    }

    /// Reads records up to the first picture; the canvas is transparent where the frame leaves it free.
    @unsafe private static func firstFrame(
        of bytes: UnsafeBufferPointer<UInt8>,
        width: Int,
        height: Int
    ) -> (rgba: [UInt8], status: Int32) {
        var source = unsafe Source(bytes: bytes)
        return unsafe withUnsafeMutablePointer(to: &source) { source in
            var status: Int32 = D_GIF_SUCCEEDED
            guard let gif = unsafe DGifOpen(source, readBytes, &status) else { return ([], status) }
            defer { unsafe _ = DGifCloseFile(gif, nil) }
            var transparent: Int?
            while true {
                var record = UNDEFINED_RECORD_TYPE
                guard unsafe DGifGetRecordType(gif, &record) == GIF_OK else { return ([], unsafe gif.pointee.Error) }
                switch record {
                case EXTENSION_RECORD_TYPE:
                    guard unsafe readExtensions(gif, transparent: &transparent) else {
                        return ([], unsafe gif.pointee.Error)
                    }
                case IMAGE_DESC_RECORD_TYPE:
                    return unsafe readFrame(gif, width: width, height: height, transparent: transparent)
                default: return ([], D_GIF_ERR_NO_IMAG_DSCR)
                }
            }
        }
    }

    /// The transparent colour stands in the graphics control extension, code 0xF9.
    @unsafe private static func readExtensions(
        _ gif: UnsafeMutablePointer<GifFileType>,
        transparent: inout Int?
    ) -> Bool {
        var code: Int32 = 0
        var block: UnsafeMutablePointer<UInt8>?
        guard unsafe DGifGetExtension(gif, &code, &block) == GIF_OK else { return false }
        while let bytes = unsafe block {
            if code == 0xF9, unsafe bytes[0] >= 4, unsafe bytes[1] & 1 == 1 { transparent = unsafe Int(bytes[4]) }
            guard unsafe DGifGetExtensionNext(gif, &block) == GIF_OK else { return false }
        }
        return true
    }

    @unsafe private static func readFrame(
        _ gif: UnsafeMutablePointer<GifFileType>,
        width: Int,
        height: Int,
        transparent: Int?
    ) -> (rgba: [UInt8], status: Int32) {
        guard unsafe DGifGetImageDesc(gif) == GIF_OK else { return ([], unsafe gif.pointee.Error) }
        let frame = unsafe gif.pointee.Image
        let (left, top) = unsafe (Int(frame.Left), Int(frame.Top))
        let (columns, rows) = unsafe (Int(frame.Width), Int(frame.Height))
        guard let map = unsafe frame.ColorMap ?? gif.pointee.SColorMap else { return ([], D_GIF_ERR_NO_COLOR_MAP) }
        guard columns > 0, rows > 0, columns <= 16_384, rows <= 16_384 else { return ([], D_GIF_ERR_DATA_TOO_BIG) }
        var rgba = [UInt8](repeating: 0, count: width * height * 4)
        var line = [UInt8](repeating: 0, count: columns)
        for row in unsafe rowOrder(rows, interlaced: frame.Interlace) {
            guard unsafe DGifGetLine(gif, &line, Int32(columns)) == GIF_OK else {
                return (rgba, unsafe gif.pointee.Error)
            }
            guard top + row < height else { continue }
            for column in 0..<min(columns, width - left) where Int(line[column]) != transparent {
                guard unsafe Int(line[column]) < Int(map.pointee.ColorCount) else {
                    return ([], D_GIF_ERR_IMAGE_DEFECT)
                }
                let colour = unsafe map.pointee.Colors[Int(line[column])]
                let offset = 4 * ((top + row) * width + left + column)
                rgba.replaceSubrange(offset..<(offset + 4), with: [colour.Red, colour.Green, colour.Blue, 255])
            }
        }
        return (rgba, D_GIF_SUCCEEDED)
    }

    /// Interlaced rows come in four passes: every eighth, the eighths between, the fourths, the odd ones.
    private static func rowOrder(_ rows: Int, interlaced: Bool) -> [Int] {
        guard interlaced else { return Array(0..<rows) }
        return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0, to: rows, by: $1)) }
    }

    /// The bytes that giflib has not read yet.
    @unsafe private struct Source {
        let bytes: UnsafeBufferPointer<UInt8>
        var offset = 0
    }

    private static let readBytes:
        @convention(c) (UnsafeMutablePointer<GifFileType>?, UnsafeMutablePointer<UInt8>?, Int32) -> Int32 = {
            gif,
            target,
            count in
            guard let gif = unsafe gif, let target = unsafe target, let data = unsafe gif.pointee.UserData else {
                return 0
            }
            let source = unsafe data.assumingMemoryBound(to: Source.self)
            let available = unsafe min(Int(count), source.pointee.bytes.count - source.pointee.offset)
            for index in 0..<available {
                unsafe target[index] = unsafe source.pointee.bytes[source.pointee.offset + index]
            }
            unsafe source.pointee.offset += available
            return Int32(available)
        }
}
