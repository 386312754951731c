import Foundation
package import ImageDecoding
package import Vectors

extension PerceptualHash {
    /// The signs of a picture's lowest frequencies.
    ///
    /// The picture's brightness is averaged over a grid of 32 × 32 cells, whatever its shape; of the grid's cosine transform
    /// the 8 × 8 lowest frequencies but the mean are compared with their median, row by row from the lowest bit. (The
    /// well-known pHash; see Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010.)
    package init(of image: PixelImage) {
        let frequencies = Self.lowFrequencies(of: Self.brightness(of: image))
        let sorted = frequencies.dropFirst().sorted()
        let median = sorted[sorted.count / 2]
        var bits: UInt64 = 0
        for (index, value) in frequencies.enumerated() where index > 0 && value > median { bits |= 1 << UInt64(index) }
        self.init(bits: bits)
    }

    private static let side = 32
    private static let kept = 8

    /// The mean brightness of each cell, 0…255, row by row; a cell narrower than a pixel takes the pixel that it lies in.
    private static func brightness(of image: PixelImage) -> [Float] {
        let columns = (0...side).map { $0 * image.width / side }
        let rows = (0...side).map { $0 * image.height / side }
        return [Float](unsafeUninitializedCapacity: side * side) { cells, count in
            image.samples.withUnsafeBufferPointer { samples in
                for cell in 0..<(side * side) {
                    let (row, column) = (cell / side, cell % side)
                    let height = max(rows[row + 1] - rows[row], 1)
                    let width = max(columns[column + 1] - columns[column], 1)
                    var sums = (red: 0, green: 0, blue: 0)
                    for y in rows[row]..<(rows[row] + height) {
                        var sample = (y * image.width + columns[column]) * 3
                        for _ in 0..<width {
                            sums.red &+= Int(samples[sample])
                            sums.green &+= Int(samples[sample &+ 1])
                            sums.blue &+= Int(samples[sample &+ 2])
                            sample &+= 3
                        }
                    }
                    // Brightness after ITU-R BT.601.
                    let sum = 0.299 * Float(sums.red) + 0.587 * Float(sums.green) + 0.114 * Float(sums.blue)
                    cells[cell] = sum / Float(width * height)
                }
            }
            count = side * side
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
