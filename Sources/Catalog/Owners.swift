/// Which person each chat belongs to.
///
/// `chats.user_id` may hold the internal `users.id` or the Telegram id `users.user_id`. A number that could mean two
/// persons belongs to neither, unless the chat is a private one and carries the Telegram id of one of them.
package struct Owners: Sendable {
    /// The owner's Telegram id by the chat's internal id; chats of nobody are left out.
    private let telegramIDs: [Int64: Int64]
    private let users: Set<Int64>

    /// - Parameters:
    ///   - users: The internal and the Telegram id of each person.
    ///   - chats: The internal id of each chat, its Telegram id, and what stands for its owner.
    init(
        users pairs: some Sequence<(id: Int64, telegramID: Int64)>,
        chats: some Sequence<(id: Int64, telegramID: Int64?, owner: Int64)>
    ) {
        let byInternalID = Dictionary(pairs.map { ($0.id, $0.telegramID) }) { $1 }
        users = Set(byInternalID.values)
        var owners: [Int64: Int64] = [:]
        for chat in chats {
            let candidates = Set(
                [byInternalID[chat.owner], users.contains(chat.owner) ? chat.owner : nil].compactMap { $0 }
            )
            let privatePerson = chat.telegramID.flatMap { candidates.contains($0) ? $0 : nil }
            owners[chat.id] = candidates.count == 1 ? candidates.first : privatePerson
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
