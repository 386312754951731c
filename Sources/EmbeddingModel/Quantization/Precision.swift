import Digests

/// The numbers that a model computes with.
package enum Precision: String, Sendable, CaseIterable {
    /// 32-bit floats, whatever the weights file holds.
    case float32
    /// 8-bit whole numbers in the large matrix products of all layers but the last: faster, at a cosine of about 0.9998.
    case int8

    /// Counts up whenever int8 would give other vectors for the same weights.
    static let quantizationVersion = 1

    /// What stands for the weights in a vector's identity: int8 vectors are of a space of their own.
    ///
    /// - Parameter digest: The SHA-256 of the weights file, in hexadecimal.
    package func weightsDigest(_ digest: String) -> String {
        switch self {
        case .float32: digest
        case .int8: SHA256Digest(of: Array("\(digest) int8 \(Self.quantizationVersion)".utf8)).hexadecimal
        }
    }

    /// How many pictures one call of the model takes.
    ///
    /// In float32, four to eight were the fastest of 1 to 32. In int8 the scale of an activation is found anew in each
    /// call, from all that it holds: alone, a picture has the same vector whatever its neighbours are.
    var callSize: Int {
        switch self {
        case .float32: 4
        case .int8: 1
        }
    }
}
