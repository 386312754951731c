import CTurboJPEG

/// Makes small JPEG files that differ from each other.
package enum JPEGWriter {
    /// A JPEG of soft stripes whose colours and directions depend on the number.
    package static func picture(_ number: Int, width: Int = 96, height: Int = 72, quality: Int32 = 80) -> [UInt8] {
        var random = SeededGenerator(seed: UInt64(number))
        let steps = (0..<3).map { _ in (Int.random(in: 1...5, using: &random), Int.random(in: 1...5, using: &random)) }
        let pixels = (0..<(width * height)).flatMap { index in
            steps.map { UInt8(truncatingIfNeeded: (index % width) * $0.0 + (index / width) * $0.1 + number) }
        }
        return compress(pixels, width, height, format: TJPF_RGB, quality)
    }

    /// A JPEG of one colour as printers store it: YCCK, with the inks inverted as Adobe writes them.
    package static func ink(_ cyan: UInt8, _ magenta: UInt8, _ yellow: UInt8, _ black: UInt8) -> [UInt8] {
        let pixels = [[UInt8]](repeating: [cyan, magenta, yellow, black], count: 64 * 64).flatMap { $0 }
        return compress(pixels, 64, 64, format: TJPF_CMYK, 95)
    }

    /// A JPEG of red, green, blue samples.
    package static func encode(_ samples: [UInt8], width: Int, height: Int, quality: Int32) -> [UInt8] {
        compress(samples, width, height, format: TJPF_RGB, quality)
    }

    private static func compress(_ pixels: [UInt8], _ width: Int, _ height: Int, format: TJPF, _ quality: Int32)
        -> [UInt8]
    {
        let handle = tjInitCompress()
        defer { tjDestroy(handle) }
        var file: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
        let status = tjCompress2(
            handle,
            pixels,
            Int32(width),
            0,
            Int32(height),
            Int32(format.rawValue),
            &file,
            &count,
            Int32(TJSAMP_420.rawValue),
            quality,
            0
        )
        defer { tjFree(file) }
        precondition(status == 0)
        return Array(UnsafeBufferPointer(start: file, count: Int(count)))
    }
}
