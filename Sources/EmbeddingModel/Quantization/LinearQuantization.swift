import Inference

/// A linear layer's weights as 8-bit whole numbers, one scale per output channel, symmetric around zero.
///
/// The numbers are within ±127, and no two neighbours along the input, the first of them at an even place, are further
/// from zero than 128 together. A processor with AVX2 but without VNNI adds the products of such a pair in 16 bits and
/// clips the sum: 255 · 128 still fits, so that the whole-number products are exact on every processor.
struct LinearQuantization {
    /// `[in, out]`: transposed, as the engine's whole-number product wants them.
    let numbers: [Int8]
    /// What each output channel's numbers are multiplied by.
    let scales: [Float]

    /// Quantises a matrix.
    ///
    /// - Parameters:
    ///   - weights: `[out, in]`, as stored.
    ///   - factors: What each input channel's weights are multiplied by first.
    init(_ weights: ExternalTensor, factors: [Float]? = nil) {
        let (outputs, inputs) = (weights.shape[0], weights.shape[1])
        var numbers = [Int8](repeating: 0, count: inputs * outputs)
        var scales = [Float](repeating: 1, count: outputs)
        var row = [Float](repeating: 0, count: inputs)
        for output in 0..<outputs {
            for input in 0..<inputs {
                row[input] = weights.float(at: output * inputs + input) * (factors?[input] ?? 1)
            }
            let largest = stride(from: 0, to: inputs, by: 2).reduce(Float(0)) { largest, input in
                max(largest, abs(row[input]) + (input + 1 < inputs ? abs(row[input + 1]) : 0))
            }
            guard largest > 0 else { continue }
            scales[output] = largest / 127
            for input in 0..<inputs {
                numbers[input * outputs + output] = Int8((row[input] / scales[output]).rounded())
            }
        }
        self.numbers = numbers
        self.scales = scales
    }
}

/// Moves the spread of a layer norm's output into the weights behind it, so that both can be quantised finely.
///
/// After a layer norm with scale γ and shift β a channel stays, but for rare values, within 3·|γ| + |β|. Each channel is
/// divided by √(that ÷ its largest weight), rounded to a power of two, and its weights multiplied by the same number:
/// the product does not change by a bit, but no channel is so wide that the others drown in its scale (SmoothQuant, Xiao
/// et al. 2023, with the norm's own numbers in the place of measured activations).
struct NormSmoothing {
    /// What each channel's weights are multiplied by, and its γ and β divided by.
    let factors: [Float]

    /// - Parameter weights: The matrices `[out, in]` that take the norm's output.
    init(scale: [Float], shift: [Float], weights: [ExternalTensor]) {
        var largest = [Float](repeating: 0, count: scale.count)
        for matrix in weights {
            for output in 0..<matrix.shape[0] {
                for input in largest.indices {
                    largest[input] = max(largest[input], abs(matrix.float(at: output * largest.count + input)))
                }
            }
        }
        factors = largest.indices.map { channel in
            let range = 3 * abs(scale[channel]) + abs(shift[channel])
            let ratio = (range / largest[channel]).squareRoot()
            guard ratio.isFinite, ratio > 0 else { return 1 }
            let exponent = min(max(Int(ratio.exponent) + (ratio.significand >= Float(2).squareRoot() ? 1 : 0), -16), 16)
            return Float(sign: .plus, exponent: exponent, significand: 1)
        }
    }
}
