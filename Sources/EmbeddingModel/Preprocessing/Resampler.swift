internal import CResample
import ImageDecoding

/// Resizes a picture and cuts out a square, computing only the pixels that remain.
///
/// Rows first, then columns, each pass rounded to bytes, as Pillow does. On a processor with AVX2 the inner loops are
/// those of `CResample`; elsewhere the plain ones here, with the same result.
struct Resampler {
    /// Whether the loops for AVX2 are used.
    let usesAVX2: Bool

    /// What this processor does best.
    static let best = Resampler(usesAVX2: resample_has_avx2() != 0)

    /// Scales the short side to `shortSide` and cuts `crop` × `crop` pixels from the middle.
    ///
    /// The long side is rounded down and the crop's corner too, as the reference's image processor does.
    ///
    /// - Returns: `crop · crop · 3` samples.
    func squareCrop(of image: PixelImage, shortSide: Int, crop: Int) -> [UInt8] {
        let short = min(image.width, image.height)
        let width = max(shortSide * image.width / short, crop)
        let height = max(shortSide * image.height / short, crop)
        let columns = Self.middle(of: width, crop)
        let rows = Self.middle(of: height, crop)
        let horizontal = ResamplingWeights(inputSize: image.width, outputSize: width, range: columns)
        let vertical = ResamplingWeights(inputSize: image.height, outputSize: height, range: rows)
        let firstRow = vertical.starts.first ?? 0
        let lastRow = zip(vertical.starts, vertical.counts).map(+).max() ?? 0
        let narrowed = resizeRows(of: image, rows: firstRow..<lastRow, weights: horizontal)
        return resizeColumns(of: narrowed, rowLength: crop * 3, firstRow: firstRow, weights: vertical)
    }

    /// Scales the whole picture, whatever its shape.
    ///
    /// - Returns: `width · height · 3` samples.
    func resized(_ image: PixelImage, width: Int, height: Int) -> [UInt8] {
        let horizontal = ResamplingWeights(inputSize: image.width, outputSize: width, range: 0..<width)
        let vertical = ResamplingWeights(inputSize: image.height, outputSize: height, range: 0..<height)
        let narrowed = resizeRows(of: image, rows: 0..<image.height, weights: horizontal)
        return resizeColumns(of: narrowed, rowLength: width * 3, firstRow: 0, weights: vertical)
    }

    private static func middle(of size: Int, _ crop: Int) -> Range<Int> {
        let start = (size - crop) / 2
        return start..<(start + crop)
    }

    private func resizeRows(of image: PixelImage, rows: Range<Int>, weights: ResamplingWeights) -> [UInt8] {
        let rowLength = weights.starts.count * 3
        return [UInt8](unsafeUninitializedCapacity: rows.count * rowLength) { output, count in
            image.samples.withUnsafeBufferPointer { input in
                var row = rows.lowerBound
                while row < rows.upperBound {
                    let target = UnsafeMutableBufferPointer(rebasing: output[((row - rows.lowerBound) * rowLength)...])
                    let source = UnsafeBufferPointer(rebasing: input[(row * image.width * 3)...])
                    let isPairReadable = row + 2 <= rows.upperBound && row + 2 < image.height
                    if usesAVX2 && isPairReadable {
                        Self.resizePair(source, image.width * 3, into: target, rowLength, weights)
                    } else {
                        Self.resizeRow(source, into: target, weights)
                    }
                    row += usesAVX2 && isPairReadable ? 2 : 1
                }
            }
            count = rows.count * rowLength
        }
    }

    /// Resizes two rows at once; a third one must stand behind them, since a byte more than theirs is read.
    private static func resizePair(
        _ input: UnsafeBufferPointer<UInt8>,
        _ inputLength: Int,
        into output: UnsafeMutableBufferPointer<UInt8>,
        _ outputLength: Int,
        _ weights: ResamplingWeights
    ) {
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        weights.starts.withUnsafeBufferPointer { starts in
            weights.counts.withUnsafeBufferPointer { counts in
                weights.weights.withUnsafeBufferPointer { factors in
                    guard let starts = starts.baseAddress, let lengths = counts.baseAddress,
                        let factors = factors.baseAddress
                    else { return }
                    resample_rows_avx2(
                        source,
                        source + inputLength,
                        target,
                        target + outputLength,
                        starts,
                        lengths,
                        factors,
                        weights.stride,
                        counts.count,
                        ResamplingWeights.fractionBits
                    )
                }
            }
        }
    }

    private static func resizeRow(
        _ input: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        _ weights: ResamplingWeights
    ) {
        for column in weights.starts.indices {
            var source = weights.starts[column] * 3
            var sum = SIMD4<Int32>(repeating: half)
            for index in 0..<weights.counts[column] {
                let pixel = SIMD4(Int32(input[source]), Int32(input[source + 1]), Int32(input[source + 2]), 0)
                sum &+= pixel &* weights.weights[column * weights.stride + index]
                source += 3
            }
            for channel in 0..<3 { output[column * 3 + channel] = sample(sum[channel]) }
        }
    }

    private func resizeColumns(
        of samples: [UInt8],
        rowLength: Int,
        firstRow: Int,
        weights: ResamplingWeights
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: weights.starts.count * rowLength) { output, count in
            samples.withUnsafeBufferPointer { input in
                weights.weights.withUnsafeBufferPointer { factors in
                    for row in weights.starts.indices {
                        let first = (weights.starts[row] - firstRow) * rowLength
                        let source = UnsafeBufferPointer(rebasing: input[first...])
                        let target = UnsafeMutableBufferPointer(
                            rebasing: output[(row * rowLength)..<((row + 1) * rowLength)]
                        )
                        let factors = UnsafeBufferPointer(rebasing: factors[(row * weights.stride)...])
                        resizeColumn(source, into: target, factors, count: weights.counts[row])
                    }
                }
            }
            count = weights.starts.count * rowLength
        }
    }

    /// Makes one output row of the `count` rows that the input begins with.
    private func resizeColumn(
        _ input: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        _ factors: UnsafeBufferPointer<Int32>,
        count: Int
    ) {
        guard let source = input.baseAddress, let target = output.baseAddress, let weights = factors.baseAddress else {
            return
        }
        if usesAVX2 {
            let bits = ResamplingWeights.fractionBits
            resample_columns_avx2(source, target, weights, count, output.count, bits)
            return
        }
        for column in output.indices {
            var sum = Self.half
            for index in 0..<count { sum &+= Int32(source[index * output.count + column]) &* weights[index] }
            target[column] = Self.sample(sum)
        }
    }

    private static let half: Int32 = 1 << (ResamplingWeights.fractionBits - 1)

    /// Rounds a fixed-point sum to a sample.
    private static func sample(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, sum >> ResamplingWeights.fractionBits)))
    }
}
