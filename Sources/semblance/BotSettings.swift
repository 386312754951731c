import ImageDecoding
import TelegramBot

/// How the bot talks to Telegram, and with whom, by the settings; checked before anything is opened.
struct BotSettings {
    let api: BotAPI
    let rules: BotRules
    let way: TelegramBot.Way
    /// The name of the host that a webhook is called by.
    let webhookHost: String?

    private static let secretLengths = 16...256

    init(_ all: Settings, takesOver: Bool) throws {
        guard let text = all.value(of: .telegramToken)?.text else {
            throw CommandError(.usage, "TELEGRAM_BOT_TOKEN is not set; @BotFather gives one")
        }
        guard let token = BotToken(text) else {
            throw CommandError(.usage, "TELEGRAM_BOT_TOKEN is no token of a Telegram bot (123456:ABC…)")
        }
        api = try BotAPI(base: all.value(of: .telegramBase)?.text ?? "", token: token)
        rules = BotRules(
            users: try Self.ids(.telegramUsers, all),
            chats: try Self.ids(.telegramChats, all),
            largestFile: try Self.number(.imageBytes, 1...ImageLimits.standard.fileBytes, all),
            fileExtensions: (all.value(of: .imageExtensions)?.text ?? "").lowercased().split(separator: ",")
                .map { $0.trimmingPrefix { ". ".contains($0) }.filter { $0 != " " } },
            embedsAll: try AutoEmbedding(all) == .all,
            perMinute: try Self.number(.botRate, 1...100_000, all)
        )
        let url = all.value(of: .telegramWebhook)?.text
        way = try url.map { .webhook(url: $0, secret: try Self.secret(all)) } ?? .polling(takesOver: takesOver)
        webhookHost = try url.map(Self.host)
    }

    private static func host(_ url: String) throws -> String {
        let rest = url.hasPrefix("https://") ? url.dropFirst(8) : ""
        let host = rest.prefix { $0 != "/" && $0 != ":" }
        guard !host.isEmpty, rest.hasSuffix("/telegram"), rest.split(separator: "/").count == 2 else {
            throw CommandError(.usage, "TELEGRAM_WEBHOOK_URL must be https://HOST/telegram")
        }
        return String(host)
    }

    private static func secret(_ all: Settings) throws -> String {
        let secret = all.value(of: .telegramSecret)?.text ?? ""
        let isPlain = secret.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_-".unicodeScalars.contains(scalar))
        }
        guard isPlain, secretLengths.contains(secret.utf8.count) else {
            throw CommandError(
                .usage,
                "A webhook needs TELEGRAM_WEBHOOK_SECRET: 16 to 256 letters, digits, _ and - (openssl rand -hex 32)"
            )
        }
        return secret
    }

    private static func ids(_ key: Settings.Key, _ all: Settings) throws -> Set<Int64> {
        let parts = (all.value(of: key)?.text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        return try Set(
            parts.map { part in
                guard let id = Int64(part) else {
                    throw CommandError(
                        .usage,
                        "\(key.rawValue) must be Telegram ids with commas between them, not \(part)"
                    )
                }
                return id
            }
        )
    }

    private static func number(_ key: Settings.Key, _ range: ClosedRange<Int>, _ all: Settings) throws -> Int {
        let text = all.value(of: key)?.text ?? ""
        guard let number = Int(text), range.contains(number) else {
            throw CommandError(
                .usage,
                "\(key.rawValue) must be a number from \(range.lowerBound) to \(range.upperBound), not \(text)"
            )
        }
        return number
    }
}
