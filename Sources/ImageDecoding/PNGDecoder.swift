private import CSpng

/// PNG files, through libspng; of an animated PNG the default picture is read.
enum PNGDecoder {
    /// Width and height as stored in the header chunk.
    static func size(of file: [UInt8]) throws(ImageDecodingError) -> (width: Int, height: Int) {
        let fields = ByteReader(file[...], bigEndian: true)
        guard let width = fields.word32(at: 16), let height = fields.word32(at: 20) else {
            throw ImageDecodingError(.truncated, "the PNG ends inside its header")
        }
        return (width, height)
    }

    static func decode(
        _ file: [UInt8],
        header: ImageHeader,
        limits: ImageLimits
    ) throws(ImageDecodingError) -> PixelImage {
        guard let context = unsafe spng_ctx_new(0) else {
            throw ImageDecodingError(.corrupt, "the PNG decoder could not be made")
        }
        defer { unsafe spng_ctx_free(context) }
        var orientation = Orientation.upright
        let (status, rgba) = unsafe file.withUnsafeBufferPointer { bytes in
            unsafe decode(bytes, context: context, header: header, limits: limits, orientation: &orientation)
        }
        guard status == 0 else { throw error(status) }
        return orientation.apply(to: PixelImage(width: header.width, height: header.height, overWhite: rgba))
    }

    /// The corresponding C functions are `spng_set_png_buffer` and `spng_decode_image`; the status is theirs.
    @unsafe private static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>,
        context: OpaquePointer,
        header: ImageHeader,
        limits: ImageLimits,
        orientation: inout Orientation
    ) -> (status: Int32, rgba: [UInt8]) {
        unsafe spng_set_image_limits(context, UInt32(limits.side), UInt32(limits.side))
        unsafe spng_set_chunk_limits(context, 16 << 20, 32 << 20)
        unsafe spng_set_png_buffer(context, bytes.baseAddress, bytes.count)
        var status: Int32 = 0
        let length = header.width * header.height * 4
        let rgba = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            unsafe buffer.initialize(repeating: 0)
            status = unsafe spng_decode_image(
                context,
                buffer.baseAddress,
                length,
                Int32(SPNG_FMT_RGBA8.rawValue),
                Int32(SPNG_DECODE_TRNS.rawValue)
            )
            count = length
        }
        if status == 0 { orientation = unsafe exifOrientation(context) }
        return (status, rgba)
    }

    @unsafe private static func exifOrientation(_ context: OpaquePointer) -> Orientation {
        var exif = unsafe spng_exif()
        guard unsafe spng_decode_chunks(context) == 0, unsafe spng_get_exif(context, &exif) == 0,
            let data = unsafe exif.data
        else { return .upright }
        return unsafe Orientation(exif: Array(UnsafeRawBufferPointer(start: data, count: exif.length))[...])
    }

    private static func error(_ status: Int32) -> ImageDecodingError {
        let message = unsafe String(cString: spng_strerror(status))
        return switch status {
        case Int32(SPNG_IO_EOF.rawValue):
            ImageDecodingError(.truncated, "the PNG ends before its picture does")
        case Int32(SPNG_ECHUNK_LIMITS.rawValue):
            ImageDecodingError(.tooLarge, "the PNG's chunks are larger than is read")
        default: ImageDecodingError(.corrupt, "the PNG cannot be decoded: \(message)")
        }
    }
}
