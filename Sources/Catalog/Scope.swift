/// Whose images something is about.
package enum Scope: Sendable, Hashable {
    case allUsers
    /// One person, by Telegram id.
    case user(Int64)
    /// One chat, by its internal id.
    case chat(Int64)
}
