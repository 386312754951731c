/// Why a file gives no picture.
package struct ImageDecodingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of reason, which decides whether trying again can help.
    package struct Code: Sendable, Hashable {
        private enum Value { case unsupported, tooLarge, truncated, corrupt }
        private let value: Value

        /// A format, or a variant of one, that is not read.
        package static let unsupported = Code(value: .unsupported)
        /// More bytes, pixels or scans than the limits allow.
        package static let tooLarge = Code(value: .tooLarge)
        /// The file ends before the picture does.
        package static let truncated = Code(value: .truncated)
        /// The bytes contradict their format.
        package static let corrupt = Code(value: .corrupt)
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
