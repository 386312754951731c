import Foundation

/// A message on its way to a chat, as it is kept in the outbox.
struct Outgoing: Codable, Sendable, Equatable {
    let chat: Int64
    /// What is sent, by what there is of it: pictures, a text, a change of an earlier message, or the answer to a button.
    var text: String?
    var pictures: [Picture] = []
    var buttons: [[Button]] = []
    /// The message that this one answers.
    var replyTo: Int64?
    /// The message that this one takes the place of.
    var edits: Int64?
    /// The pressed button that this answers.
    var callback: String?
    /// The album whose answer this is.
    var album: String?
    /// What the bot is shown to be doing; worth nothing when it comes late.
    var action: String?

    struct Picture: Codable, Sendable, Equatable {
        let image: Int64
        let caption: String
    }

    struct Button: Codable, Sendable, Equatable {
        let text: String
        let callback_data: String
    }

    init(chat: Int64, text: String? = nil) {
        self.chat = chat
        self.text = text
    }

    /// As it is kept.
    var data: Data {
        get throws { try JSONEncoder.sorted.encode(self) }
    }
}
