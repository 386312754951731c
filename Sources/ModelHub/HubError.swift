/// Why a model could not be fetched.
package struct HubError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of trouble it is, which decides the exit status.
    package struct Code: Sendable, Hashable {
        private enum Value { case usage, unavailable, tryLater, wrongContent, cannotWrite }
        private let value: Value

        /// What was asked for makes no sense, whatever the hub says.
        package static let usage = Code(value: .usage)
        /// The hub cannot be reached, or does not give the file.
        package static let unavailable = Code(value: .unavailable)
        /// The hub, or another pull, is busy.
        package static let tryLater = Code(value: .tryLater)
        /// What came is not what the hub said it would be.
        package static let wrongContent = Code(value: .wrongContent)
        /// The model's folder cannot be written, or the disk is full.
        package static let cannotWrite = Code(value: .cannotWrite)
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
