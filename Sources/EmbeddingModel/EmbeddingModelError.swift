/// Why a model gives no vectors.
package struct EmbeddingModelError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is, which decides the exit status.
    package struct Code: Sendable, Hashable {
        private enum Value { case missing, noTextTower, damaged, engine, usage, cannotWrite }
        private let value: Value

        /// The model's folder or one of its files is not there.
        package static let missing = Code(value: .missing)
        /// The model knows pictures alone.
        package static let noTextTower = Code(value: .noTextTower)
        /// The model is there, but its files cannot be what they claim to be.
        package static let damaged = Code(value: .damaged)
        /// The engine is missing or failed.
        package static let engine = Code(value: .engine)
        /// What was asked for makes no sense, whatever is on the disk.
        package static let usage = Code(value: .usage)
        /// The folder of models cannot be written.
        package static let cannotWrite = Code(value: .cannotWrite)
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
