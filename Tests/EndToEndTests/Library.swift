import Foundation
import GRDB
import SystemPackage
import TestSupport
import Testing

/// All tests that run the built program, one at a time: each of them uses the whole machine.
@Suite(.serialized, .timeLimit(.minutes(60)))
enum EndToEnd {}

/// A bot's folder with database, pictures and models, and the program to run in it.
struct Library {
    let folder: FilePath
    let bot: BotDatabase
    static let model = "clip-ViT-B-32"

    var database: FilePath { bot.path }
    var vectors: FilePath { folder.appending("data/semblance.db") }

    /// Makes a library whose default model is the tiny CLIP.
    init(_ folder: FilePath, journalMode: String = "DELETE") throws {
        self.folder = folder
        bot = try BotDatabase(folder.appending("data/telegram_agent.db"), journalMode: journalMode)
        try bot.addUser(id: 1, telegramID: 1001)
        try bot.addChat(id: 1, telegramID: 1001, owner: 1)
        for name in ["models", "data/img"] {
            let path = folder.pushing(FilePath(name)).string
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try useModel(Fixtures.models.appending("tiny-clip"))
    }

    /// Installs a model folder under the default name.
    func useModel(_ model: FilePath) throws {
        let target = folder.appending("models").appending(Self.model).string
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: model.string, toPath: target)
    }

    /// A tokenizer that fits the tiny model: one token a letter, and one for all other bytes, which have the symbols of
    /// CLIP's own vocabulary.
    func useTokenizer() throws {
        let letters = (UInt8(ascii: "a")...UInt8(ascii: "z")).map { String(UnicodeScalar($0)) } + ["'", "-"]
        var ids = Dictionary(uniqueKeysWithValues: zip(letters + letters.map { $0 + "</w>" }, 0...))
        for point in 33...323 as ClosedRange<UInt32> {
            let symbol = UnicodeScalar(point).map { String($0) } ?? ""
            for token in [symbol, symbol + "</w>"] where ids[token] == nil { ids[token] = 61 }
        }
        ids["<|startoftext|>"] = 62
        ids["<|endoftext|>"] = 63
        try write([UInt8](try JSONEncoder().encode(ids)), "models/\(Self.model)/vocab.json")
        try write(Array("#version: 0.2\n".utf8), "models/\(Self.model)/merges.txt")
    }

    /// Writes a file below the bot's folder.
    func write(_ bytes: [UInt8], _ path: String) throws {
        try Data(bytes).write(to: URL(filePath: folder.pushing(FilePath(path)).string))
    }

    /// Adds images whose files are good pictures.
    func addPictures(_ ids: ClosedRange<Int64>, embedding: Data? = nil, label: String? = nil) throws {
        for id in ids {
            try write(JPEGWriter.picture(Int(id)), "data/img/\(id).jpg")
            try bot.addImage(id: id, compressed: "data/img/\(id).jpg", embedding: embedding, label: label)
        }
    }

    /// The environment that the program gets.
    var environment: [String: String] {
        [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.string,
            "SEMBLANCE_MODELS": folder.appending("models").string,
        ]
    }

    /// Starts the program in the bot's folder.
    func start(_ arguments: [String], with extra: [String: String] = [:], output: String? = nil) throws -> Program {
        let environment = environment.merging(extra) { $1 }
        return try Program(Program.semblance, arguments, in: folder, environment: environment, output: output)
    }

    /// Starts another program in the bot's folder.
    func startTool(_ arguments: [String]) throws -> Program {
        try Program("/usr/bin/env", arguments, in: folder, environment: environment)
    }

    /// Runs the program to its end.
    @discardableResult
    func run(_ arguments: String..., with extra: [String: String] = [:]) throws -> Program.Outcome {
        try start(arguments, with: extra).wait()
    }

    /// What `--json` printed.
    func json(_ arguments: String...) throws -> [String: any Sendable] {
        let outcome = try start(arguments + ["--json"]).wait()
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        return try #require(object as? [String: any Sendable], "\(outcome.output) \(outcome.errors)")
    }

    /// Every file of the data folder with its bytes.
    func snapshot() throws -> [String: Data] {
        let data = folder.appending("data")
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: data.string) {
            files[name] = FileManager.default.contents(atPath: data.pushing(FilePath(name)).string)
        }
        return files
    }

    /// Puts the data folder back as it was.
    func restore(_ snapshot: [String: Data]) throws {
        let data = folder.appending("data")
        for name in try FileManager.default.subpathsOfDirectory(atPath: data.string) where !name.hasPrefix("img") {
            try FileManager.default.removeItem(atPath: data.pushing(FilePath(name)).string)
        }
        for (name, bytes) in snapshot where !name.hasPrefix("img") {
            try bytes.write(to: URL(filePath: data.pushing(FilePath(name)).string))
        }
    }

    /// Runs a statement in our own database.
    func vectorsExecute(_ sql: String, _ arguments: StatementArguments = []) throws {
        let queue = try DatabaseQueue.patient(vectors)
        defer { try? queue.close() }
        try queue.write { try $0.execute(sql: sql, arguments: arguments) }
    }

    /// What SQLite says of both databases.
    func integrity() throws -> [String] {
        try [database, vectors].filter { FileManager.default.fileExists(atPath: $0.string) }.map { path in
            let queue = try DatabaseQueue.patient(path)
            defer { try? queue.close() }
            return try queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA integrity_check") ?? "" }
        }
    }

    /// A number from our own database.
    func vectorCount(_ sql: String = "SELECT count(*) FROM vectors") throws -> Int {
        try number(sql, in: vectors)
    }

    /// A number from a database.
    func number(_ sql: String, in path: FilePath) throws -> Int {
        let queue = try DatabaseQueue.patient(path)
        defer { try? queue.close() }
        return try queue.inDatabase { try Int.fetchOne($0, sql: sql) ?? 0 }
    }

    /// The simulated bot, a process of its own.
    func startBot(_ arguments: String...) throws -> Program {
        let script = FilePath(#filePath).removingLastComponent().appending("bot_simulator.py").string
        let bot = try startTool(["python3", "-u", script] + arguments)
        return bot
    }
}

/// Runs a test in a library of its own.
func withLibrary(journalMode: String = "DELETE", _ body: (Library) throws -> Void) throws {
    try withTemporaryFolder { try body(try Library($0, journalMode: journalMode)) }
}

/// Waits until something holds, at most for a while.
func waitUntil(_ limit: Duration = .seconds(30), _ condition: () throws -> Bool) throws {
    let start = ContinuousClock.now
    while try !condition() {
        guard ContinuousClock.now - start < limit else { throw TestSupportError("what was waited for never happened") }
        usleep(5_000)
    }
}
