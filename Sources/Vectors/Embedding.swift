/// A picture's place in an embedding space: a vector of unit length whose components are all finite.
///
/// Because the length is one, the dot product of two embeddings of the same space is their cosine.
package struct Embedding: Sendable, Equatable {
    /// The components; their squares sum to 1 within float rounding.
    package let components: [Float]

    /// Scales a model's raw output to unit length; the length is summed in double precision.
    ///
    /// - Throws: `EmbeddingDefect` where the output is empty, not finite, or of length zero.
    package init(normalizing output: some Collection<Float>) throws(EmbeddingDefect) {
        guard !output.isEmpty else { throw .empty }
        var squares = 0.0
        for component in output {
            guard component.isFinite else { throw .notFinite }
            squares += Double(component) * Double(component)
        }
        guard squares > 0 else { throw .zeroLength }
        let scale = 1 / squares.squareRoot()
        components = output.map { Float(Double($0) * scale) }
    }

    /// Takes components that are known to be of unit length, as a blob that Semblance wrote holds them.
    init(unitLength components: [Float]) {
        self.components = components
    }

    /// The number of components.
    package var dimension: Int { components.count }

    /// The cosine of the angle between two embeddings of one space, −1…1.
    package func cosine(to other: Embedding) -> Float {
        precondition(dimension == other.dimension, "embeddings of different spaces are never compared")
        return components.withUnsafeBufferPointer { left in
            other.components.withUnsafeBufferPointer { DotProduct.of(left, $0) }
        }
    }
}

/// Why numbers are no embedding.
package enum EmbeddingDefect: Error, Sendable, Equatable {
    case empty
    case notFinite
    case zeroLength
}

extension EmbeddingDefect: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "the model's output is empty"
        case .notFinite: "the model's output holds a number that is not finite"
        case .zeroLength: "the model's output is zero everywhere"
        }
    }
}
