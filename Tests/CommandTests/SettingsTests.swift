import Catalog
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import semblance

@Suite("A .env file")
struct EnvironmentFileTests {
    @Test(
        "is read as its users write it",
        arguments: [
            ("A=1", ["A": "1"]), ("A=1\nB=2\n", ["A": "1", "B": "2"]), ("A=1\r\nB=2\r\n", ["A": "1", "B": "2"]),
            ("\u{FEFF}A=1", ["A": "1"]), ("export A = 1 ", ["A": "1"]), ("# x\n\n  # y\nA=1", ["A": "1"]),
            ("A=", ["A": ""]), ("A=\"\"", ["A": ""]), ("A=\"a b\"", ["A": "a b"]), ("A='a \"b'", ["A": "a \"b"]),
            (#"A="x\ny\"z\\""#, ["A": "x\ny\"z\\"]), (#"A='x\n'"#, ["A": #"x\n"#]), ("A=x # note", ["A": "x"]),
            ("A=x#y", ["A": "x#y"]), ("A=\"x\" # note", ["A": "x"]), ("A=b=c", ["A": "b=c"]), ("A=1\nA=2", ["A": "2"]),
            ("A=$HOME", ["A": "$HOME"]), ("A=🖼", ["A": "🖼"]),
        ]
    )
    func dialect(text: String, expected: [String: String]) throws {
        #expect(try EnvironmentFile(text, name: ".env").values == expected)
    }

    @Test(
        "with a line that is no setting is refused by line",
        arguments: ["A=1\nhello", "\n=1", "A B=1", "A=\"x", "A='x' y"]
    )
    func refused(text: String) {
        let error = #expect(throws: CommandError.self) { try EnvironmentFile(text, name: ".env") }
        #expect(error?.status == .usage)
        #expect(error?.description.contains("of .env") == true)
    }

    @Test("of any text whatever is read or refused, and never crashes", arguments: 1...200)
    func anyText(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("AB=\"'\\# \n\r\texport$\u{FEFF}é")
        let text = String((0..<40).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
        _ = try? EnvironmentFile(text, name: ".env")
    }
}

@Suite("The settings")
struct SettingsTests {
    private func settings(
        _ folder: FilePath,
        options: [Settings.Key: String] = [:],
        file: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Settings {
        try Settings(options: options, environmentFile: file, environment: environment, workingDirectory: folder.string)
    }

    private func write(_ text: String, _ path: FilePath) throws {
        try text.write(toFile: path.string, atomically: true, encoding: .utf8)
    }

    @Test("come from the highest layer that has a value, and say which")
    func layers() throws {
        try withTemporaryFolder { folder in
            let home = folder.appending("home")
            try FileManager.default.createDirectory(atPath: home.string, withIntermediateDirectories: false)
            var environment = ["HOME": home.string]
            func model() throws -> Settings.Value? { try settings(folder, environment: environment).value(of: .model) }
            #expect(try model() == .init(text: "clip-ViT-B-32", source: "default"))
            try write("EMBEDDING_MODEL=a", home.appending(".env"))
            #expect(try model() == .init(text: "a", source: "~/.env"))
            try write("EMBEDDING_MODEL=b", folder.appending(".env"))
            #expect(try model() == .init(text: "b", source: ".env"))
            try write("EMBEDDING_MODEL=c", folder.appending(".env.local"))
            #expect(try model() == .init(text: "c", source: ".env.local"))
            environment["EMBEDDING_MODEL"] = "d"
            #expect(try model() == .init(text: "d", source: "environment"))
            environment["EMBEDDING_MODEL"] = ""
            #expect(try model() == .init(text: "c", source: ".env.local"))
            try write("EMBEDDING_MODEL=e", folder.appending("other.env"))
            #expect(try settings(folder, file: "other.env").value(of: .model) == .init(text: "e", source: "other.env"))
            let option = try settings(folder, options: [.databaseURL: "x.db"], environment: ["DATABASE_URL": "y.db"])
            #expect(try option.address.path == folder.appending("x.db"))
        }
    }

    @Test("put our database beside the bot's unless told otherwise")
    func paths() throws {
        try withTemporaryFolder { folder in
            let plain = try settings(folder)
            #expect(try plain.address.path == folder.appending("data/telegram_agent.db"))
            #expect(try plain.vectorDatabase == folder.appending("data/semblance.db"))
            #expect(try plain.root == folder)
            let told = try settings(folder, environment: ["SEMBLANCE_DATABASE": "v.db", "SEMBLANCE_ROOT": "/media"])
            #expect(try told.vectorDatabase == folder.appending("v.db"))
            #expect(try told.root == "/media")
        }
    }

    @Test("that do not parse are errors, never silently the default")
    func errors() throws {
        try withTemporaryFolder { folder in
            for threads in ["0", "many", "-1", "1.5", "1000"] {
                let error = #expect(throws: CommandError.self) {
                    try settings(folder, environment: ["SEMBLANCE_THREADS": threads])
                }
                #expect(error?.status == .usage)
            }
            let missing = #expect(throws: CommandError.self) { try settings(folder, file: "nowhere.env") }
            #expect(missing?.status == .missingFile)
            _ = FileManager.default.createFile(
                atPath: folder.appending(".env").string,
                contents: Data([0x41, 0x3D, 0xFF])
            )
            #expect(throws: CommandError.self) { try settings(folder) }
        }
    }

    @Test("show no password")
    func secrets() {
        #expect(Secrets.masked("postgresql://bot:pa@ss@host/db") == "postgresql://bot:***@host/db")
        #expect(Secrets.masked("sqlite:///./data/bot.db") == "sqlite:///./data/bot.db")
    }
}

@Suite("Numbers in words")
struct CountsTests {
    @Test("have one digit behind the point and name the most frequent first")
    func words() {
        #expect(Counts.decimal(13.333) == "13.3" && Counts.decimal(100) == "100.0" && Counts.decimal(0) == "0.0")
        #expect(Counts.duration(59.4) == "59 s" && Counts.duration(200) == "3 min 20 s")
        #expect(Counts.duration(7500) == "2 h 5 min")
        #expect(Counts.images(1) == "1 image" && Counts.images(0) == "0 images")
    }
}
