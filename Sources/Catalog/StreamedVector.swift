/// A stored vector on its way into memory.
package struct StreamedVector: Sendable {
    package let imageID: Int64
    /// The components, 32-bit little-endian floats.
    package let components: [UInt8]

    package init(imageID: Int64, components: [UInt8]) {
        self.imageID = imageID
        self.components = components
    }
}

/// How far a reader of all vectors has come: whatever is stored later comes after it.
package struct StreamMark: Sendable, Equatable {
    /// The transaction that stored the last vector, where several may write at once; else 0.
    var transaction: Int64 = 0
    /// The id of that vector.
    var id: Int64 = 0

    /// Before the first vector.
    package init() {}

    init(transaction: Int64 = 0, id: Int64) {
        self.transaction = transaction
        self.id = id
    }
}
