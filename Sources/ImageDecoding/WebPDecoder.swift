private import CWebP

/// WebP files, through libwebp; of an animation the first frame on its canvas.
enum WebPDecoder {
    /// Width and height of the canvas.
    static func size(of file: [UInt8]) throws(ImageDecodingError) -> (width: Int, height: Int) {
        let features = try features(of: file)
        return (Int(features.width), Int(features.height))
    }

    static func decode(
        _ file: [UInt8],
        header: ImageHeader,
        allowsTruncated: Bool
    ) throws(ImageDecodingError) -> PixelImage {
        if !allowsTruncated { try checkLength(of: file) }
        let features = try features(of: file)
        let rgba =
            features.has_animation != 0
            ? unsafe firstFrame(of: file, count: header.width * header.height * 4)
            : unsafe still(file, width: header.width, height: header.height)
        guard let rgba else { throw ImageDecodingError(.corrupt, "the WebP cannot be decoded") }
        let image = PixelImage(width: header.width, height: header.height, overWhite: rgba)
        return exifOrientation(of: file).apply(to: image)
    }

    private static func features(of file: [UInt8]) throws(ImageDecodingError) -> WebPBitstreamFeatures {
        var features = WebPBitstreamFeatures()
        let status = unsafe WebPGetFeatures(file, file.count, &features)
        guard status != VP8_STATUS_NOT_ENOUGH_DATA else {
            throw ImageDecodingError(.truncated, "the WebP ends inside its header")
        }
        guard status == VP8_STATUS_OK else { throw ImageDecodingError(.corrupt, "the WebP's header is damaged") }
        return features
    }

    /// The container says how long it is; a shorter file was cut off.
    private static func checkLength(of file: [UInt8]) throws(ImageDecodingError) {
        let length = ByteReader(file[...], bigEndian: false).word32(at: 4) ?? .max
        guard length <= file.count - 8 else {
            throw ImageDecodingError(.truncated, "the WebP ends before its picture does")
        }
    }

    /// Decodes a still picture; the rows that a file was cut off before stay transparent.
    ///
    /// The corresponding C functions are those of `WebPIDecoder`, libwebp's decoder for files that arrive in parts.
    @unsafe private static func still(_ file: [UInt8], width: Int, height: Int) -> [UInt8]? {
        let length = width * height * 4
        var status = VP8_STATUS_OUT_OF_MEMORY
        let rgba = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            unsafe buffer.initialize(repeating: 0)
            count = length
            let decoder = unsafe WebPINewRGB(MODE_RGBA, buffer.baseAddress, length, Int32(width * 4))
            guard let decoder = unsafe decoder else { return }
            status = unsafe WebPIAppend(decoder, file, file.count)
            unsafe WebPIDelete(decoder)
        }
        return status == VP8_STATUS_OK || status == VP8_STATUS_SUSPENDED ? rgba : nil
    }

    /// The corresponding C functions are those of `WebPAnimDecoder`; the frames behind the first are not looked at.
    @unsafe private static func firstFrame(of file: [UInt8], count: Int) -> [UInt8]? {
        unsafe file.withUnsafeBufferPointer { bytes in
            var data = unsafe WebPData(bytes: bytes.baseAddress, size: bytes.count)
            var options = WebPAnimDecoderOptions()
            guard unsafe WebPAnimDecoderOptionsInit(&options) != 0 else { return nil }
            options.color_mode = MODE_RGBA
            guard let decoder = unsafe WebPAnimDecoderNew(&data, &options) else { return nil }
            defer { unsafe WebPAnimDecoderDelete(decoder) }
            var frame: UnsafeMutablePointer<UInt8>?
            var timestamp: Int32 = 0
            guard unsafe WebPAnimDecoderGetNext(decoder, &frame, &timestamp) != 0, let frame = unsafe frame else {
                return nil
            }
            return unsafe Array(UnsafeBufferPointer(start: frame, count: count))
        }
    }

    private static func exifOrientation(of file: [UInt8]) -> Orientation {
        unsafe file.withUnsafeBufferPointer { bytes in
            var data = unsafe WebPData(bytes: bytes.baseAddress, size: bytes.count)
            guard let demuxer = unsafe WebPDemux(&data) else { return .upright }
            defer { unsafe WebPDemuxDelete(demuxer) }
            var chunk = unsafe WebPChunkIterator()
            guard unsafe WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0 else { return .upright }
            defer { unsafe WebPDemuxReleaseChunkIterator(&chunk) }
            let exif = unsafe UnsafeBufferPointer(start: chunk.chunk.bytes, count: chunk.chunk.size)
            return unsafe Orientation(exif: Array(exif)[...])
        }
    }
}
