import ImageDecoding

/// Resizes a picture and cuts out a square, computing only the pixels that remain.
enum Resampler {
    /// Scales the short side to `shortSide` and cuts `crop` × `crop` pixels from the middle.
    ///
    /// The long side is rounded down and the crop's corner too, as the reference's image processor does.
    ///
    /// - Returns: `crop · crop · 3` samples.
    static func squareCrop(of image: PixelImage, shortSide: Int, crop: Int) -> [UInt8] {
        let short = min(image.width, image.height)
        let width = max(shortSide * image.width / short, crop)
        let height = max(shortSide * image.height / short, crop)
        let columns = middle(of: width, crop)
        let rows = middle(of: height, crop)
        let horizontal = ResamplingWeights(inputSize: image.width, outputSize: width, range: columns)
        let vertical = ResamplingWeights(inputSize: image.height, outputSize: height, range: rows)
        let firstRow = vertical.starts.first ?? 0
        let lastRow = zip(vertical.starts, vertical.counts).map(+).max() ?? 0
        let narrowed = resizeRows(of: image, rows: firstRow..<lastRow, weights: horizontal)
        return resizeColumns(of: narrowed, rowLength: crop * 3, firstRow: firstRow, weights: vertical)
    }

    private static func middle(of size: Int, _ crop: Int) -> Range<Int> {
        let start = (size - crop) / 2
        return start..<(start + crop)
    }

    private static func resizeRows(of image: PixelImage, rows: Range<Int>, weights: ResamplingWeights) -> [UInt8] {
        let rowLength = weights.starts.count * 3
        return [UInt8](unsafeUninitializedCapacity: rows.count * rowLength) { output, count in
            image.samples.withUnsafeBufferPointer { input in
                weights.weights.withUnsafeBufferPointer { factors in
                    for row in rows {
                        var target = (row - rows.lowerBound) * rowLength
                        for column in weights.starts.indices {
                            var source = (row * image.width + weights.starts[column]) * 3
                            var sum = SIMD4<Int32>(repeating: half)
                            let first = column * weights.stride
                            for index in first..<(first + weights.counts[column]) {
                                let pixel = SIMD4<Int32>(
                                    Int32(input[source]),
                                    Int32(input[source + 1]),
                                    Int32(input[source + 2]),
                                    0
                                )
                                sum &+= pixel &* factors[index]
                                source += 3
                            }
                            for channel in 0..<3 { output[target + channel] = sample(sum[channel]) }
                            target += 3
                        }
                    }
                }
            }
            count = rows.count * rowLength
        }
    }

    private static func resizeColumns(
        of samples: [UInt8],
        rowLength: Int,
        firstRow: Int,
        weights: ResamplingWeights
    ) -> [UInt8] {
        var sums = [Int32](repeating: 0, count: rowLength)
        return [UInt8](unsafeUninitializedCapacity: weights.starts.count * rowLength) { output, count in
            samples.withUnsafeBufferPointer { input in
                sums.withUnsafeMutableBufferPointer { sums in
                    for row in weights.starts.indices {
                        sums.update(repeating: half)
                        for index in 0..<weights.counts[row] {
                            let factor = weights.weights[row * weights.stride + index]
                            let source = (weights.starts[row] + index - firstRow) * rowLength
                            for column in 0..<rowLength { sums[column] &+= Int32(input[source + column]) &* factor }
                        }
                        for column in 0..<rowLength { output[row * rowLength + column] = sample(sums[column]) }
                    }
                }
            }
            count = weights.starts.count * rowLength
        }
    }

    private static let half: Int32 = 1 << (ResamplingWeights.fractionBits - 1)

    /// Rounds a fixed-point sum to a sample.
    private static func sample(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, sum >> ResamplingWeights.fractionBits)))
    }
}
