/// Which input samples one output sample of a resize is made of, along one axis, and with what weights.
///
/// The antialiased bicubic of Pillow (a = −0.5, the support widened by the reduction), with weights in the same
/// fixed-point form of 22 fractional bits, so that resized pixels equal Pillow's to the last bit.
struct ResamplingWeights {
    /// Fractional bits of a weight: 32 less 8 for the sample and 2 for overshoot.
    static let fractionBits: Int32 = 22

    /// The first input sample of each output sample.
    private(set) var starts: [Int] = []
    /// How many input samples each output sample takes.
    private(set) var counts: [Int] = []
    /// The weights, `stride` for each output sample.
    private(set) var weights: [Int32] = []
    /// The room for weights per output sample.
    let stride: Int

    /// The weights for a range of the output samples.
    init(inputSize: Int, outputSize: Int, range: Range<Int>) {
        let scale = Double(inputSize) / Double(outputSize)
        let filterScale = max(scale, 1)
        let support = 2 * filterScale
        stride = Int(support.rounded(.up)) * 2 + 1
        weights.reserveCapacity(range.count * stride)
        for index in range {
            let center = (Double(index) + 0.5) * scale
            let start = max(Int(center - support + 0.5), 0)
            let end = min(Int(center + support + 0.5), inputSize)
            let values = (start..<end).map { Self.bicubic((Double($0) - center + 0.5) / filterScale) }
            let sum = values.reduce(0, +)
            starts.append(start)
            counts.append(values.count)
            weights += values.map { Self.fixedPoint($0 / sum) }
            weights += [Int32](repeating: 0, count: stride - values.count)
        }
    }

    private static func fixedPoint(_ weight: Double) -> Int32 {
        let scaled = weight * Double(1 << fractionBits)
        return Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }

    private static func bicubic(_ position: Double) -> Double {
        let a = -0.5
        let x = abs(position)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }
}
