/// The extension pgvector, as a database has it.
struct PGVector: Sendable {
    /// Where it is.
    let schema: String
    /// The number of its type.
    let type: UInt32
    /// Such as `0.8.5`.
    let version: String

    /// Whether a graph can be asked on until enough rows came.
    ///
    /// Without that it may give fewer than there are, so that it is of no use here. Since 0.8.
    var hasIterativeScans: Bool {
        let numbers = version.split(separator: ".").map { Int($0) ?? 0 }
        return !numbers.lexicographicallyPrecedes([0, 8])
    }
}
