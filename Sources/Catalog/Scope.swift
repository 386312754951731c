/// Whose images a command is about.
package enum Scope: Sendable, Equatable {
    case allUsers
    /// One person, by Telegram id.
    case user(Int64)
}
