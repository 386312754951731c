/// Why the bot could not do something.
package struct BotError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    package struct Code: Sendable, Hashable {
        private enum Value { case unauthorized, conflict, tooMany, refused, unavailable, usage, unreadable }
        private let value: Value

        /// Telegram does not know the token.
        package static let unauthorized = Code(value: .unauthorized)
        /// Another program takes this bot's updates.
        package static let conflict = Code(value: .conflict)
        /// Too many calls; the error says when to come back.
        package static let tooMany = Code(value: .tooMany)
        /// Telegram will never do this.
        package static let refused = Code(value: .refused)
        /// Telegram does not answer, or not with an answer; later it may.
        package static let unavailable = Code(value: .unavailable)
        /// A setting is wrong.
        package static let usage = Code(value: .usage)
        /// What was sent is no picture.
        static let unreadable = Code(value: .unreadable)
    }

    package let code: Code
    /// For people; names the method, never an address.
    package let description: String
    /// How long Telegram wants to be left alone, in seconds.
    var wait: Double?
    /// Whether the call may have been carried out all the same.
    var isMaybeDone = false

    init(_ code: Code, _ description: String, wait: Double? = nil, isMaybeDone: Bool = false) {
        self.code = code
        self.description = description
        self.wait = wait
        self.isMaybeDone = isMaybeDone
    }
}
