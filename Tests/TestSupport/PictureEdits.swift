/// What people and programs do to pictures without making other pictures of them; red, green, blue samples.
package struct PictureEdits {
    private let samples: [UInt8]
    private let width: Int
    private let height: Int

    package init(samples: [UInt8], width: Int, height: Int) {
        self.samples = samples
        self.width = width
        self.height = height
    }

    /// The picture as a JPEG.
    package func recompressed(quality: Int32) -> [UInt8] {
        JPEGWriter.encode(samples, width: width, height: height, quality: quality)
    }

    /// The picture at half its size, each pixel the mean of four.
    package var halved: PictureEdits {
        let (width, height) = (max(self.width / 2, 1), max(self.height / 2, 1))
        var output: [UInt8] = []
        output.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 {
                    let corners = [(0, 0), (0, 1), (1, 0), (1, 1)].map { dy, dx in
                        Int(sample(2 * x + dx, 2 * y + dy, channel))
                    }
                    output.append(UInt8(corners.reduce(2, +) / 4))
                }
            }
        }
        return PictureEdits(samples: output, width: width, height: height)
    }

    /// The picture without a share of its length at each side.
    package func cropped(_ share: Double) -> PictureEdits {
        let (left, top) = (Int(Double(width) * share), Int(Double(height) * share))
        let (width, height) = (self.width - 2 * left, self.height - 2 * top)
        var output: [UInt8] = []
        output.reserveCapacity(width * height * 3)
        for y in top..<(top + height) {
            let start = (y * self.width + left) * 3
            output += samples[start..<(start + width * 3)]
        }
        return PictureEdits(samples: output, width: width, height: height)
    }

    private func sample(_ x: Int, _ y: Int, _ channel: Int) -> UInt8 {
        samples[(min(y, height - 1) * width + min(x, width - 1)) * 3 + channel]
    }
}
