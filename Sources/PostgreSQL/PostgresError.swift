/// Why PostgreSQL did not do something: what kind of trouble, and the server's sentence without values and statements.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    package struct Code: Sendable, Hashable {
        private enum Value {
            case unreachable, refused, outcomeUnknown, contention, timeout, readOnly, full, crowded, missing, forbidden
            case wrong
        }
        private let value: Value

        /// There is no connection, or it was lost before anything was committed.
        package static let unreachable = Code(value: .unreachable)
        /// The server does not let this user in, or cannot prove who it is.
        package static let refused = Code(value: .refused)
        /// The connection was lost while a transaction was committed: it may have been, or not.
        package static let outcomeUnknown = Code(value: .outcomeUnknown)
        /// Another transaction was in the way: a deadlock, a lock that did not come, a conflict.
        package static let contention = Code(value: .contention)
        /// A statement took longer than it may.
        package static let timeout = Code(value: .timeout)
        /// The server takes no writes: a standby, or made so.
        package static let readOnly = Code(value: .readOnly)
        /// The server's disk is full, or it has no memory.
        package static let full = Code(value: .full)
        /// The server has no connection left.
        package static let crowded = Code(value: .crowded)
        /// A table, column, function or database is not there.
        package static let missing = Code(value: .missing)
        /// The user lacks a privilege.
        package static let forbidden = Code(value: .forbidden)
        /// Anything else, which asking again does not change.
        package static let wrong = Code(value: .wrong)
    }

    package let code: Code
    /// The five characters that name the error; empty where it was none of the server's.
    package let state: String
    package let description: String

    init(_ code: Code, _ description: String, state: String = "") {
        self.code = code
        self.state = state
        self.description = description
    }

    /// An error of the server's, by PostgreSQL's table of error codes.
    init(state: String, message: String) {
        let code: Code =
            switch state {
            case "57014": .timeout
            case "40001", "40P01", "55P03": .contention
            case "25006": .readOnly
            case "53300": .crowded
            case "57P01", "57P02", "57P03", "25P03", "57P05": .unreachable
            case "3D000": .missing
            case "42501": .forbidden
            case "42P01", "42703", "42883", "3F000", "42704": .missing
            default:
                switch state.prefix(2) {
                case "08": .unreachable
                case "28": .refused
                case "53", "58": .full
                default: .wrong
                }
            }
        self.init(code, message, state: state)
    }

    /// Whether the same may succeed a little later, with nothing done yet.
    package var isPassing: Bool { [.unreachable, .contention, .crowded].contains(code) }
}
