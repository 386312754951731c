/// Why the engine could not be used.
package struct InferenceError: Error, Sendable, CustomStringConvertible {
    /// Where it went wrong.
    package struct Code: Sendable, Hashable {
        private enum Value { case library, model, run }
        private let value: Value

        /// The engine's library is missing or unusable.
        package static let library = Code(value: .library)
        /// The engine refused the model.
        package static let model = Code(value: .model)
        /// The model failed on an input.
        package static let run = Code(value: .run)
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
