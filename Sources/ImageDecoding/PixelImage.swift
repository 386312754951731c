/// A decoded picture: 8-bit red, green, blue, row by row from the top left, upright, without transparency.
package struct PixelImage: Sendable, Equatable {
    /// Pixels in a row.
    package let width: Int
    /// Rows.
    package let height: Int
    /// `width · height · 3` bytes.
    package let samples: [UInt8]

    /// Takes samples as they are; their number must be `width · height · 3`.
    package init(width: Int, height: Int, samples: [UInt8]) {
        precondition(samples.count == width * height * 3)
        self.width = width
        self.height = height
        self.samples = samples
    }

    /// Lays red, green, blue, alpha samples over white, rounding as Pillow's `paste` with a mask does.
    init(width: Int, height: Int, overWhite rgba: [UInt8]) {
        var samples = [UInt8](repeating: 0, count: width * height * 3)
        for pixel in 0..<(width * height) {
            let alpha = Int(rgba[pixel * 4 + 3])
            for channel in 0..<3 {
                let weighted = Int(rgba[pixel * 4 + channel]) * alpha + 255 * (255 - alpha) + 128
                samples[pixel * 3 + channel] = UInt8(truncatingIfNeeded: ((weighted >> 8) + weighted) >> 8)
            }
        }
        self.init(width: width, height: height, samples: samples)
    }
}

extension PixelImage: CustomStringConvertible {
    package var description: String { "a picture of \(width)×\(height) pixels" }
}
