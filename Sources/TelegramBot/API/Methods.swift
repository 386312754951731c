import Foundation

/// The methods of the Bot API that the bot needs.
extension BotAPI {
    /// Who the bot is.
    func getMe() async throws -> User { try await call("getMe", Nothing()) }

    /// The updates behind an offset as they came; waits for the first one.
    func getUpdates(offset: Int64?) async throws -> [RawUpdate] {
        let request = UpdatesRequest(
            offset: offset,
            limit: 100,
            timeout: Self.pollTimeout,
            allowed_updates: ["message", "callback_query"]
        )
        return try await call("getUpdates", request, wait: Self.pollTimeout)
    }

    /// Has updates sent to an address.
    func setWebhook(url: String, secret: String) async throws {
        let request = WebhookRequest(url: url, secret_token: secret, allowed_updates: ["message", "callback_query"])
        let _: Bool = try await call("setWebhook", request)
    }

    /// Has updates wait to be asked for.
    func deleteWebhook() async throws { let _: Bool = try await call("deleteWebhook", Nothing()) }

    /// Where a file can be fetched from, for an hour.
    func getFile(_ id: String) async throws -> RemoteFile { try await call("getFile", ["file_id": id]) }

    /// Shows the commands in the menu.
    func setMyCommands(_ commands: [BotCommand], language: String?) async throws {
        let _: Bool = try await call("setMyCommands", CommandsRequest(commands: commands, language_code: language))
    }

    /// Shows that the bot is at it.
    func sendChatAction(_ action: String, to chat: Int64) async throws {
        let _: Bool = try await call("sendChatAction", ActionRequest(chat_id: chat, action: action))
    }

    /// An update with its own bytes, which are kept as they came.
    struct RawUpdate: Decodable, Sendable {
        let update: Update
        let value: JSONValue

        init(from decoder: any Decoder) throws {
            value = try JSONValue(from: decoder)
            let bytes = try JSONEncoder.sorted.encode(value)
            // An update of a kind that cannot be read is kept as one of no chat, so that its number is confirmed.
            update = (try? JSONDecoder().decode(Update.self, from: bytes)) ?? Update(number: value.number("update_id"))
        }
    }

    private struct Nothing: Encodable, Sendable {}

    private struct UpdatesRequest: Encodable, Sendable {
        let offset: Int64?
        let limit: Int
        let timeout: Int64
        let allowed_updates: [String]
    }

    private struct WebhookRequest: Encodable, Sendable {
        let url: String
        let secret_token: String
        let allowed_updates: [String]
    }

    private struct CommandsRequest: Encodable, Sendable {
        let commands: [BotCommand]
        let language_code: String?
    }

    private struct ActionRequest: Encodable, Sendable {
        let chat_id: Int64
        let action: String
    }
}

/// A command with what it does, for the menu.
struct BotCommand: Encodable, Sendable {
    let command: String
    let description: String
}

extension Update {
    init(number: Int64) {
        update_id = number
        message = nil
        callback_query = nil
    }
}

/// Any JSON.
enum JSONValue: Codable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// A whole number of an object; 0 where there is none.
    func number(_ name: String) -> Int64 {
        guard case .object(let values) = self, case .integer(let number) = values[name] else { return 0 }
        return number
    }
}

extension JSONEncoder {
    /// The same bytes for the same value.
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}
