import GRDB

/// Which person each chat belongs to.
///
/// `chats.user_id` may hold the internal `users.id` or the Telegram id `users.user_id`. A number that could mean two
/// persons belongs to neither, unless the chat is a private one and carries the Telegram id of one of them.
struct Owners: Sendable {
    /// The owner's Telegram id by the chat's internal id; chats of nobody are left out.
    private let telegramIDs: [Int64: Int64]
    private let users: Set<Int64>

    /// Reads chats and users.
    init(_ db: Database, schema: MainSchema, file: String) throws {
        try schema.require(["id", "user_id"], in: "users", file: file)
        try schema.require(["id", "chat_id", "user_id"], in: "chats", file: file)
        var byInternalID: [Int64: Int64] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT id, user_id FROM users WHERE user_id IS NOT NULL") {
            byInternalID[row[0]] = row[1]
        }
        users = Set(byInternalID.values)
        var owners: [Int64: Int64] = [:]
        let chats = try Row.fetchCursor(db, sql: "SELECT id, chat_id, user_id FROM chats WHERE user_id IS NOT NULL")
        while let chat = try chats.next() {
            guard let raw = chat[2] as Int64? else { continue }
            let candidates = Set([byInternalID[raw], users.contains(raw) ? raw : nil].compactMap { $0 })
            let privatePerson = (chat[1] as Int64?).flatMap { candidates.contains($0) ? $0 : nil }
            owners[chat[0]] = candidates.count == 1 ? candidates.first : privatePerson
        }
        telegramIDs = owners
    }

    /// Whether the database knows a person.
    func knows(_ telegramID: Int64) -> Bool { users.contains(telegramID) }

    /// The chats of a person, by internal id.
    func chats(of telegramID: Int64) -> [Int64] {
        telegramIDs.filter { $0.value == telegramID }.map(\.key).sorted()
    }

    /// The person that a chat belongs to, if it is clear.
    func owner(ofChat chat: Int64) -> Int64? { telegramIDs[chat] }
}
