package import Vectors

/// A space as stored.
package struct StoredSpace: Sendable, Equatable {
    package let id: Int64
    package let space: EmbeddingSpace
    /// Counts the activations of all spaces: the highest is the active space's, the next that of the one before it;
    /// 0 where it never was active.
    package let activation: Int64

    package static func == (left: StoredSpace, right: StoredSpace) -> Bool { left.id == right.id }
}
