import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The command line")
    struct CommandLineTests {
        @Test(
            "refuses wrong usage with 64 before it touches anything",
            arguments: [
                ["generate"], ["generate", "--all-users", "--user-id", "1"],
                ["generate", "--all-users", "--batch-size", "0"],
                ["generate", "--all-users", "--batch-size", "many"], ["generate", "--all-users", "--limit", "0"],
                ["generate", "--everything"], ["stats", "--user-id", "me"], ["frobnicate"], ["import"],
                ["import", "data", "--user-id", "0"], ["import", "data", "--user-id", "1", "--mode", "cubist"],
            ]
        )
        func usage(arguments: [String]) throws {
            try withLibrary { library in
                try library.bot.close()
                let before = try library.snapshot()
                let outcome = try library.start(arguments).wait()
                #expect(outcome.status == 64 && !outcome.errors.isEmpty)
                #expect(try library.snapshot() == before)
            }
        }

        @Test(
            "refuses settings that do not parse",
            arguments: [
                (["SEMBLANCE_THREADS": "two"], 64), (["DATABASE_URL": "mysql://bot:secret@db/bot"], 64),
                (["DATABASE_URL": "postgresql://bot:secret@127.0.0.1:1/bot"], 69),
                (["DATABASE_URL": "sqlite:///nowhere.db"], 66), (["EMBEDDING_MODEL": "no-such-model"], 69),
                (["SEMBLANCE_ONNXRUNTIME": "/nowhere/libonnxruntime.so"], 69),
            ] as [([String: String], Int32)]
        )
        func settings(environment: [String: String], status: Int32) throws {
            try withLibrary { library in
                let outcome = try library.run("generate", "--all-users", with: environment)
                #expect(outcome.status == status, "\(outcome.errors)")
                #expect(outcome.errors.split(separator: "\n").count == 1 && !outcome.errors.contains("secret"))
            }
        }

        @Test("without the model names the folder, how to get it, and what is there; no vector is made")
        func withoutModel() throws {
            try withLibrary { library in
                try library.addPictures(1...2)
                let models = library.folder.appending("models")
                try FileManager.default.moveItem(
                    atPath: models.appending(Library.model).string,
                    toPath: models.appending("small").string
                )
                try library.bot.close()
                let before = try library.snapshot()
                for arguments in [["generate", "--all-users"], ["generate", "--all-users", "--dry-run"]] {
                    let outcome = try library.start(arguments).wait()
                    #expect(outcome.status == 69)
                    for part in [models.string, "semblance model pull clip-ViT-B-32", "EMBEDDING_MODEL=small"] {
                        #expect(outcome.errors.contains(part))
                    }
                }
                #expect(try library.snapshot() == before)
                #expect(try library.run("stats").status == 0)
            }
        }

        @Test("with a model that is damaged ends with 65 and loads nothing")
        func damagedModel() throws {
            try withLibrary { library in
                try library.addPictures(1...2)
                let weights = library.folder.appending("models").appending(Library.model).appending("model.safetensors")
                #expect(truncate(weights.string, 1000) == 0)
                #expect(try library.run("generate", "--all-users").status == 65)
                #expect(try library.bot.embeddings()[1]?.blob == nil)
            }
        }

        @Test("of doctor shows each setting with its source, and what is missing")
        func doctor() throws {
            try withLibrary { library in
                try library.write(Array("SEMBLANCE_THREADS=1".utf8), ".env")
                let fine = try library.run("doctor")
                #expect(fine.status == 0, "\(fine.output)")
                #expect(fine.output.contains("SEMBLANCE_THREADS: 1 (.env)"))
                #expect(fine.output.contains("EMBEDDING_MODEL: clip-ViT-B-32 (default)"))
                #expect(fine.output.contains("journal mode delete, 1 users, 1 chats, 0 images"))
                #expect(fine.output.contains("512 dimensions"))
                let bad = try library.run("doctor", with: ["EMBEDDING_MODEL": "none", "DATABASE_URL": "x.db"])
                #expect(bad.status == 66)
                #expect(bad.output.contains("x.db is not there") && bad.output.contains("SQLite: ok"))
            }
        }

        @Test("registers a folder's pictures once, makes the bot's tables, and says what is no picture")
        func importing() throws {
            try withTemporaryFolder { folder in
                let pictures = folder.appending("pictures/deeper")
                try FileManager.default.createDirectory(atPath: pictures.string, withIntermediateDirectories: true)
                for name in ["color.png", "baseline.jpg", "lossy.webp", "animated.gif"] {
                    try FileManager.default.copyItem(
                        atPath: Fixtures.image(name).string,
                        toPath: pictures.appending(name).string
                    )
                }
                _ = FileManager.default.createFile(
                    atPath: pictures.appending("notes.txt").string,
                    contents: Data("x".utf8)
                )
                let environment = [
                    "HOME": folder.string, "EMBEDDING_MODEL": "tiny-clip", "SEMBLANCE_MODELS": Fixtures.models.string,
                ]
                func run(_ arguments: String...) throws -> Program.Outcome {
                    try Program(Program.semblance, arguments, in: folder, environment: environment).wait()
                }
                let arguments = ["pictures", "--user-id", "1001", "--chat-id", "-7", "--mode", "artistic"]
                let first = try Program(Program.semblance, ["import"] + arguments, in: folder, environment: environment)
                    .wait()
                #expect(
                    first.output == """
                        Registered 4 images of user 1001 in chat -7, mode artistic.
                        Other files, left out: 1

                        """
                )
                let again = try Program(Program.semblance, ["import"] + arguments, in: folder, environment: environment)
                    .wait()
                #expect(again.output.contains("Registered 0 images") && again.output.contains("Already registered: 4"))
                #expect(try run("generate", "--user-id", "1001").output.contains("Embedded: 4"))
                #expect(try run("stats").output.contains("Coverage: 100.0%"))
                #expect(try run("import", "nowhere", "--user-id", "1").status == 66)
            }
        }

        @Test("of import leaves a chat that only the bot can make to the bot")
        func importingIntoBot() throws {
            try withLibrary { library in
                #expect(try library.run("import", "data", "--user-id", "4").status == 0)
                let switches = "SELECT show_model_buttons FROM chats WHERE chat_id = 4"
                #expect(try library.bot.value(switches) == false, "what only the bot knows is off")
                try library.bot.execute("DROP TABLE chats")
                try library.bot.execute(
                    """
                    CREATE TABLE chats (id INTEGER PRIMARY KEY, chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
                        chat_type VARCHAR(20) NOT NULL, current_mode VARCHAR(50) NOT NULL, tariff VARCHAR(20) NOT NULL)
                    """
                )
                try library.bot.execute("INSERT INTO chats VALUES (1, 1001, 1, 'private', 'default', 'free')")
                let outcome = try library.run("import", "data", "--user-id", "5")
                #expect(outcome.status == 65 && outcome.errors.contains("tariff"), "\(outcome.errors)")
                try library.write(JPEGWriter.picture(1), "data/img/1.jpg")
                #expect(try library.run("import", "data", "--user-id", "1001").output.contains("Registered 1 image "))
                #expect(try library.bot.value("SELECT original_path FROM images") == "data/img/1.jpg")
            }
        }

        @Test("goes on where the reader of its output goes away, and tells where the output could not be written")
        func output() throws {
            try withLibrary { library in
                try library.addPictures(1...30)
                let program = Program.semblance.string
                let piped = try library.startTool(["sh", "-c", "\(program) generate --all-users 2>&1 | head -n 1"])
                    .wait()
                #expect(piped.status == 0)
                try waitUntil { try library.json("stats")["with_embeddings"] as? Int == 30 }
                #expect(try library.start(["stats"], output: "/dev/full").wait().status == 73)
            }
        }

        @Test("of setup needs no network the second time, and says so where it cannot get something")
        func setup() throws {
            try withTemporaryFolder { folder in
                let home = ProcessInfo.processInfo.environment["HOME"] ?? "/root"
                var environment = [
                    "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": home,
                    "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0",
                ]
                environment["SEMBLANCE_CACHE"] = ProcessInfo.processInfo.environment["SEMBLANCE_CACHE"]
                func setup() throws -> Program.Outcome {
                    try Program(Fixtures.project.appending("Scripts/setup"), [], in: folder, environment: environment)
                        .wait()
                }
                let second = try setup()
                #expect(second.status == 0, "\(second.errors)")
                environment["SEMBLANCE_CACHE"] = folder.appending("empty").string
                let offline = try setup()
                #expect(offline.status == 69)
                #expect(offline.errors.contains("could not be fetched; check the network"), "\(offline.errors)")
            }
        }

        @Test("makes vectors of nothing but a model: no source makes random floats")
        func noInventedVectors() throws {
            let sources = Fixtures.project.appending("Sources").string
            let found = try FileManager.default.subpathsOfDirectory(atPath: sources).filter { path in
                guard path.hasSuffix(".swift") else { return false }
                return try String(contentsOfFile: sources + "/" + path, encoding: .utf8).contains("Float.random(")
            }
            #expect(found.isEmpty, "\(found)")
        }

        @Test("is quick: help within 50 ms, stats within 100 ms, on the best of twenty tries")
        func speed() throws {
            try withLibrary { library in
                try library.addPictures(1...200)
                try library.run("generate", "--all-users")
                func best(_ arguments: String...) throws -> Duration {
                    let clock = ContinuousClock()
                    return try (1...20).map { _ in
                        try clock.measure { _ = try library.start(arguments).wait() }
                    }.min() ?? .seconds(1)
                }
                let help = try best("--help")
                let stats = try best("stats")
                print("--help: \(help), stats of 200 images: \(stats)")
                #expect(help < .milliseconds(50) && stats < .milliseconds(100), "\(help), \(stats)")
            }
        }
    }
}
