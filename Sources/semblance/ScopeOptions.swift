import ArgumentParser
import Catalog
import SystemPackage

/// Whose images a command that asks about no single image looks at.
struct ScopeOptions: ParsableArguments {
    @Option(help: "all, user (with --user-id) or chat (with --chat-id).")
    var scope: Breadth?

    @Option(help: "Only this user's images (the Telegram id).")
    var userId: Int64?

    @Option(parsing: .unconditional, help: "Only this chat's images (the Telegram id).")
    var chatId: Int64?

    func validate() throws {
        guard userId == nil || chatId == nil else { throw ValidationError("Give --user-id or --chat-id.") }
        switch scope {
        case .user where userId == nil: throw ValidationError("--scope user needs --user-id N.")
        case .chat where chatId == nil: throw ValidationError("--scope chat needs --chat-id N.")
        case .all where userId != nil || chatId != nil: throw ValidationError("--scope all goes with neither id.")
        default: break
        }
    }

    /// What was chosen; all users' images unless something was.
    func scope(_ catalog: Catalog) throws -> Scope {
        if let userId { return .user(userId) }
        guard let chatId else { return .allUsers }
        guard let chat = try catalog.main.chat(telegramID: chatId) else {
            throw CommandError(.usage, "No chat with the Telegram id \(chatId) is in \(catalog.main.name)")
        }
        return .chat(chat)
    }
}

/// Whose images are looked through.
enum Breadth: String, ExpressibleByArgument, CaseIterable {
    case user, chat, all
}
