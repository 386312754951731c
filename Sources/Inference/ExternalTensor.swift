/// A weight whose bytes lie in memory that somebody else keeps, such as a mapped weights file.
///
/// - Note: `@unchecked Sendable` because the bytes are only read.
@safe package struct ExternalTensor: @unchecked Sendable {
    /// The initialiser's name in the graph.
    package let name: String
    package let elementType: ElementType
    package let shape: [Int]
    /// The bytes, little endian, row-major; they must stay where they are while a session uses them.
    package let bytes: UnsafeRawBufferPointer

    package init(name: String, elementType: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        unsafe self.bytes = bytes
    }
}
