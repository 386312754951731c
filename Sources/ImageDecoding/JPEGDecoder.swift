private import CTurboJPEG

/// JPEG files, through libjpeg-turbo's TurboJPEG interface.
enum JPEGDecoder {
    /// Decodes at the smallest scale whose short side keeps `shortSide` pixels, upright.
    static func decode(
        _ file: [UInt8],
        shortSide: Int?,
        allowsTruncated: Bool,
        limits: ImageLimits
    ) throws(ImageDecodingError) -> PixelImage {
        let structure = try JPEGStructure(of: file, limits: limits)
        guard structure.isComplete || allowsTruncated else {
            throw ImageDecodingError(.truncated, "the JPEG ends before its picture does")
        }
        let (width, height) = scaledSize(of: structure.size, shortSide: shortSide)
        let isCMYK = structure.components == 4
        let samples = try decompress(file, width: width, height: height, isCMYK: isCMYK)
        let image = PixelImage(width: width, height: height, samples: isCMYK ? rgb(fromInverted: samples) : samples)
        return structure.orientation.apply(to: image)
    }

    /// The picture's size at the smallest number of eighths whose short side keeps enough pixels.
    private static func scaledSize(of size: (width: Int, height: Int), shortSide: Int?) -> (width: Int, height: Int) {
        guard let shortSide else { return size }
        let scaled = (1...8).lazy.map { eighths in
            (width: (size.width * eighths + 7) / 8, height: (size.height * eighths + 7) / 8)
        }
        return scaled.first { min($0.width, $0.height) >= shortSide } ?? size
    }

    /// The corresponding C function is `tjDecompress2`; a handle lives for one call, which costs microseconds.
    ///
    /// What libjpeg only warns of (bytes that do not fit, in a file that is whole) is decoded, as Pillow does.
    private static func decompress(
        _ file: [UInt8],
        width: Int,
        height: Int,
        isCMYK: Bool
    ) throws(ImageDecodingError) -> [UInt8] {
        guard let handle = unsafe tjInitDecompress() else {
            throw ImageDecodingError(.corrupt, "the JPEG decoder could not be made")
        }
        defer { unsafe _ = tjDestroy(handle) }
        let format = isCMYK ? TJPF_CMYK : TJPF_RGB
        let pitch = width * (isCMYK ? 4 : 3)
        var status: Int32 = 0
        let samples = unsafe [UInt8](unsafeUninitializedCapacity: pitch * height) { buffer, count in
            unsafe buffer.initialize(repeating: 255)
            status = unsafe tjDecompress2(
                handle,
                file,
                UInt(file.count),
                buffer.baseAddress,
                Int32(width),
                Int32(pitch),
                Int32(height),
                format.rawValue.asInt32,
                TJFLAG_ACCURATEDCT
            )
            count = pitch * height
        }
        guard status != 0 else { return samples }
        let message = unsafe String(cString: tjGetErrorStr2(handle))
        guard unsafe tjGetErrorCode(handle) == TJERR_WARNING.rawValue.asInt32 else {
            throw ImageDecodingError(.corrupt, "the JPEG cannot be decoded: \(message)")
        }
        return samples
    }

    /// Adobe's inverted cyan, magenta, yellow, black to red, green, blue, rounding as Pillow does.
    private static func rgb(fromInverted cmyk: [UInt8]) -> [UInt8] {
        var samples = [UInt8](repeating: 0, count: cmyk.count / 4 * 3)
        for pixel in 0..<(cmyk.count / 4) {
            let lightness = Int(cmyk[pixel * 4 + 3])
            for channel in 0..<3 {
                let ink = (255 - Int(cmyk[pixel * 4 + channel])) * lightness + 128
                let value = lightness - ((ink >> 8) + ink) >> 8
                samples[pixel * 3 + channel] = UInt8(max(0, min(255, value)))
            }
        }
        return samples
    }
}

extension BinaryInteger {
    /// C enumerations arrive unsigned, C functions take them as `int`.
    fileprivate var asInt32: Int32 { Int32(truncatingIfNeeded: self) }
}
