import Foundation
package import ImageDecoding
package import Vectors

extension PerceptualHash {
    /// Which of a picture's lowest frequencies are strong.
    ///
    /// The picture's brightness is resized to a grid of 32 × 32 cells, whatever its shape; of the grid's cosine transform the
    /// 8 × 8 lowest frequencies but the mean are compared with a bar, row by row from the lowest bit. This is the well-known
    /// pHash (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010) but for the bar: a tenth
    /// of their mean strength above their median, so that a symmetric picture, half of whose frequencies are all but zero,
    /// does not get bits by chance. ARCHITECTURE.md says what was measured.
    package init(of image: PixelImage) {
        let frequencies = Self.lowFrequencies(of: Self.brightness(of: image)).dropFirst()
        let strength = frequencies.reduce(0) { $0 + abs($1) } / Float(frequencies.count)
        let bar = max(frequencies.sorted()[frequencies.count / 2] + strength / 10, Self.noise)
        self.init(bits: zip(1..., frequencies).reduce(0) { $0 | ($1.1 > bar ? 1 << UInt64($1.0) : 0) })
    }

    /// What less than half a grey level's wave gives: a picture of one colour has no strong frequency.
    private static let noise: Float = 100
    private static let side = 32
    private static let kept = 8

    /// The brightness of each cell after ITU-R BT.601, 0…255, row by row.
    private static func brightness(of image: PixelImage) -> [Float] {
        let samples = Resampler.best.resized(image, width: side, height: side).map(Float.init)
        return stride(from: 0, to: samples.count, by: 3).map { sample in
            0.299 * samples[sample] + 0.587 * samples[sample + 1] + 0.114 * samples[sample + 2]
        }
    }

    /// `cosines[f][x]` = cos(π f (2x + 1) / 64).
    private static let cosines = (0..<kept).map { frequency in
        (0..<side).map { Float(cos(Double.pi * Double(frequency * (2 * $0 + 1)) / Double(2 * side))) }
    }

    /// The lowest frequencies of a grid's cosine transform, row by row; their scale does not matter.
    private static func lowFrequencies(of cells: [Float]) -> [Float] {
        let narrowed = (0..<side).map { row in
            cosines.map { waves in (0..<side).reduce(Float(0)) { $0 + waves[$1] * cells[row * side + $1] } }
        }
        return cosines.flatMap { waves in
            (0..<kept).map { column in (0..<side).reduce(Float(0)) { $0 + waves[$1] * narrowed[$1][column] } }
        }
    }
}
