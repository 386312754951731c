private import CTurboJPEG

/// Pictures as JPEG files, through libjpeg-turbo's TurboJPEG interface: nothing but pixels goes into them, no EXIF.
package enum JPEGEncoder {
    /// Encodes a picture.
    ///
    /// The corresponding C function is `tjCompress2`, with half the colour resolution both ways.
    ///
    /// - Parameter quality: 1 to 100.
    package static func encode(_ image: PixelImage, quality: Int) throws(ImageDecodingError) -> [UInt8] {
        guard let handle = unsafe tjInitCompress() else {
            throw ImageDecodingError(.corrupt, "the JPEG encoder could not be made")
        }
        defer { unsafe _ = tjDestroy(handle) }
        var file: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
        let status = unsafe tjCompress2(
            handle,
            image.samples,
            Int32(image.width),
            0,
            Int32(image.height),
            Int32(TJPF_RGB.rawValue),
            &file,
            &count,
            Int32(TJSAMP_420.rawValue),
            Int32(quality),
            0
        )
        defer { unsafe tjFree(file) }
        guard status == 0, let file = unsafe file else {
            throw ImageDecodingError(
                .corrupt,
                "the picture could not be encoded: \(unsafe String(cString: tjGetErrorStr2(handle)))"
            )
        }
        return unsafe Array(UnsafeBufferPointer(start: file, count: Int(count)))
    }
}
