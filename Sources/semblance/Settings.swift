import Catalog
import EmbeddingModel
import FoundationEssentials
import ImageDecoding
import SystemPackage

/// Everything that can be set, read once, each value with where it came from.
///
/// Highest first: option, environment, `--env-file` (default `.env.local`), `.env`, `~/.env`, default. An empty value
/// counts as none. Values that do not parse are errors, never silently the default.
struct Settings {
    /// A setting's name, which is also its environment variable.
    enum Key: String, CaseIterable {
        case databaseURL = "DATABASE_URL"
        case model = "EMBEDDING_MODEL"
        case precision = "EMBEDDING_PRECISION"
        case models = "SEMBLANCE_MODELS"
        case vectorDatabase = "SEMBLANCE_DATABASE"
        case root = "SEMBLANCE_ROOT"
        case mediaURL = "SEMBLANCE_MEDIA_URL"
        case threads = "SEMBLANCE_THREADS"
        case onnxRuntime = "SEMBLANCE_ONNXRUNTIME"
        case sqliteVec = "SEMBLANCE_SQLITE_VEC"
        case address = "SEMBLANCE_ADDRESS"
        case apiKey = "SEMBLANCE_API_KEY"
        case userKeys = "SEMBLANCE_USER_KEYS"
        case hostNames = "SEMBLANCE_HOST_NAMES"
        case autoEmbed = "SEMBLANCE_AUTO_EMBED"
        case telegramToken = "TELEGRAM_BOT_TOKEN"
        case telegramBase = "TELEGRAM_API_BASE"
        case telegramUsers = "TELEGRAM_ALLOWED_USERS"
        case telegramChats = "TELEGRAM_ALLOWED_CHATS"
        case telegramWebhook = "TELEGRAM_WEBHOOK_URL"
        case telegramSecret = "TELEGRAM_WEBHOOK_SECRET"
        case inbox = "SEMBLANCE_INBOX"
        case botRate = "SEMBLANCE_BOT_RATE"
        case imageBytes = "MAX_IMAGE_BYTES"
        case imageExtensions = "ALLOWED_IMAGE_EXTS"
        case hubEndpoint = "HF_ENDPOINT"
        case hubToken = "HF_TOKEN"
        case hubOffline = "HF_HUB_OFFLINE"

        /// Whether the value may not be shown.
        var isSecret: Bool { [.hubToken, .apiKey, .userKeys, .telegramToken, .telegramSecret].contains(self) }
    }

    /// A value, and the layer that it is from.
    struct Value: Equatable {
        let text: String
        let source: String
    }

    private let layers: [(source: String, values: [String: String])]
    /// The server of DATABASE_URL once something has asked for it: all share its connections.
    let sharedServer = SharedServer()
    let workingDirectory: FilePath
    let threads: Int
    /// What CLIP computes with.
    let precision: Precision

    /// Reads all layers.
    ///
    /// - Parameters:
    ///   - options: What was given on the command line.
    ///   - environmentFile: The file of `--env-file`, which must be there; `nil` for `.env.local`, which need not.
    init(
        options: [Key: String],
        environmentFile: String?,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        workingDirectory: String = FileManager.default.currentDirectoryPath
    ) throws {
        let folder = FilePath(workingDirectory)
        self.workingDirectory = folder
        var layers = [
            ("option", Dictionary(uniqueKeysWithValues: options.map { ($0.key.rawValue, $0.value) })),
            ("environment", environment),
        ]
        if let environmentFile {
            guard let file = try EnvironmentFile(path: folder.pushing(FilePath(environmentFile)).string) else {
                throw CommandError(.missingFile, "The file \(environmentFile) of --env-file is not there")
            }
            layers.append((environmentFile, file.values))
        } else if let file = try EnvironmentFile(path: folder.appending(".env.local").string) {
            layers.append((".env.local", file.values))
        }
        if let file = try EnvironmentFile(path: folder.appending(".env").string) {
            layers.append((".env", file.values))
        }
        if let home = environment["HOME"], !home.isEmpty, home != workingDirectory,
            let file = try EnvironmentFile(path: FilePath(home).appending(".env").string)
        {
            layers.append(("~/.env", file.values))
        }
        layers.append(("default", Self.defaults(environment)))
        self.layers = layers
        let value = { (key: Key) in layers.lazy.compactMap { $0.1[key.rawValue] }.first { !$0.isEmpty } }
        guard let threads = Int(value(.threads) ?? ""), 1...256 ~= threads else {
            throw CommandError(.usage, "SEMBLANCE_THREADS must be a number from 1 to 256, not \(value(.threads) ?? "")")
        }
        self.threads = threads
        let wanted = value(.precision) ?? ""
        guard let precision = Precision(rawValue: wanted) else {
            let choices = Precision.allCases.map(\.rawValue).joined(separator: " or ")
            throw CommandError(.usage, "EMBEDDING_PRECISION must be \(choices), not \(wanted)")
        }
        self.precision = precision
    }

    private static func defaults(_ environment: [String: String]) -> [String: String] {
        [
            Key.databaseURL.rawValue: "sqlite+aiosqlite:///./data/telegram_agent.db",
            Key.model.rawValue: "clip-ViT-B-32",
            Key.address.rawValue: "127.0.0.1:8000",
            Key.telegramBase.rawValue: "https://api.telegram.org",
            Key.botRate.rawValue: "30",
            Key.imageBytes.rawValue: String(ImageLimits.standard.fileBytes),
            Key.imageExtensions.rawValue: "jpg,jpeg,png,webp,gif",
            Key.autoEmbed.rawValue: AutoEmbedding.artistic.rawValue,
            Key.precision.rawValue: Precision.float32.rawValue,
            Key.hubEndpoint.rawValue: "https://huggingface.co",
            Key.threads.rawValue: String(ProcessInfo.processInfo.activeProcessorCount),
            Key.models.rawValue: Installation.models(environment)?.string ?? "",
            Key.onnxRuntime.rawValue: Installation.file("libonnxruntime.so")?.string ?? "",
            Key.sqliteVec.rawValue: Installation.file("vec0.so")?.string ?? "",
        ]
    }

    /// The value of the highest layer that has one.
    func value(of key: Key) -> Value? {
        layers.lazy
            .compactMap { layer in layer.values[key.rawValue].map { Value(text: $0, source: layer.source) } }
            .first { !$0.text.isEmpty }
    }

    /// The name of the wanted model.
    var model: String { value(of: .model)?.text ?? "" }
    /// The folder of model folders.
    var models: FilePath { path(.models) ?? workingDirectory.appending("models") }
    /// Where the bot's database is; asked for only by commands that use it.
    var address: DatabaseAddress {
        get throws { try DatabaseAddress(value(of: .databaseURL)?.text ?? "", workingDirectory: workingDirectory) }
    }
    /// Our own database.
    var vectorDatabase: FilePath {
        get throws {
            try path(.vectorDatabase) ?? address.path.removingLastComponent().appending("semblance.db")
        }
    }
    /// The bot's inbox and outbox.
    var inbox: FilePath {
        get throws { try path(.inbox) ?? vectorDatabase.removingLastComponent().appending("semblance-inbox.db") }
    }
    /// The folder that relative file paths start from.
    var root: FilePath {
        get throws { try path(.root) ?? (server() == nil ? address.defaultRoot : workingDirectory) }
    }
    /// ONNX Runtime, where it is known.
    var onnxRuntime: FilePath? { path(.onnxRuntime) }
    /// sqlite-vec, where it is there.
    var sqliteVec: FilePath? { path(.sqliteVec) }
    /// Whether models may be fetched.
    var isOffline: Bool {
        ["1", "on", "yes", "true"].contains(value(of: .hubOffline)?.text.lowercased() ?? "")
    }

    private func path(_ key: Key) -> FilePath? {
        value(of: key).map { workingDirectory.pushing(FilePath($0.text)).lexicallyNormalized() }
    }
}
