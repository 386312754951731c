/// What Telegram tells, as far as the bot reads it; whatever else is there is passed over.
struct Update: Decodable, Sendable {
    let update_id: Int64
    let message: Message?
    let callback_query: CallbackQuery?

    /// Where it happened; 0 where it belongs to no chat.
    var chat: Int64 { message?.chat.id ?? callback_query?.message?.chat.id ?? 0 }
    /// Who did it; 0 for nobody.
    var person: Int64 { message?.from?.id ?? callback_query?.from.id ?? 0 }
}

struct Message: Decodable, Sendable {
    let message_id: Int64
    let date: Int64
    let chat: Chat
    let from: User?
    let text: String?
    let caption: String?
    let photo: [PhotoSize]?
    let document: Document?
    let media_group_id: String?
    /// Only its picture and its author are read.
    let reply_to_message: Box<Message>?

    /// What somebody wrote.
    var words: String { text ?? caption ?? "" }
}

/// A value that may hold one of its own kind.
final class Box<Value: Decodable & Sendable>: Decodable, Sendable {
    let value: Value

    init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
}

struct Chat: Decodable, Sendable {
    let id: Int64
    let type: String
    let title: String?

    var isPrivate: Bool { type == "private" }
}

struct User: Decodable, Sendable {
    let id: Int64
    let username: String?
    let first_name: String?
    let last_name: String?
    let language_code: String?
}

struct PhotoSize: Decodable, Sendable {
    let file_id: String
    let file_unique_id: String
    let width: Int
    let height: Int
    let file_size: Int?
}

struct Document: Decodable, Sendable {
    let file_id: String
    let file_unique_id: String
    let file_name: String?
    let mime_type: String?
    let file_size: Int?
}

struct CallbackQuery: Decodable, Sendable {
    let id: String
    let from: User
    let message: CallbackMessage?
    let data: String?
}

/// The message under whose button somebody pressed; of an old one Telegram gives no more.
struct CallbackMessage: Decodable, Sendable {
    let message_id: Int64
    let chat: Chat
}

struct RemoteFile: Decodable, Sendable {
    let file_path: String?
    let file_size: Int?
}
