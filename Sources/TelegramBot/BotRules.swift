/// Whom the bot answers, and what it takes; from the settings.
package struct BotRules: Sendable {
    /// People and chats that may use it; where both are empty, its owner alone.
    package let users: Set<Int64>
    package let chats: Set<Int64>
    /// In bytes.
    package let largestFile: Int
    /// How the names of image files may end, in lower case.
    package let fileExtensions: [String]
    /// Whether pictures are embedded whatever the mode.
    package let embedsAll: Bool
    /// Updates of one person that are worked on in a minute.
    package let perMinute: Int

    package init(
        users: Set<Int64>,
        chats: Set<Int64>,
        largestFile: Int,
        fileExtensions: [String],
        embedsAll: Bool,
        perMinute: Int
    ) {
        self.users = users
        self.chats = chats
        self.largestFile = largestFile
        self.fileExtensions = fileExtensions
        self.embedsAll = embedsAll
        self.perMinute = perMinute
    }

    /// Whether somebody is on a list.
    func allows(person: Int64, chat: Int64) -> Bool { users.contains(person) || chats.contains(chat) }

    /// Whether nobody is.
    var isForOwner: Bool { users.isEmpty && chats.isEmpty }

    /// Whether a picture that is sent in a mode is embedded at once.
    func embeds(_ mode: String) -> Bool { embedsAll || mode == "artistic" || mode == "formal" }
}
