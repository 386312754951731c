import Foundation
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A server of PostgreSQL")
    struct PostgresTests {
        /// A library on files and the same one at a server, where nothing was done yet.
        private struct Both {
            let library: Library
            let bot: PostgresBot
            var server: [String: String] { ["DATABASE_URL": bot.address] }

            func run(_ arguments: String...) throws -> Program.Outcome {
                try library.start(arguments, with: server).wait()
            }

            func start(_ arguments: String...) throws -> Program { try library.start(arguments, with: server) }

            /// Copies the bot's tables to the server.
            func copy() throws {
                for image in try library.bot.images() {
                    try bot.addImage(id: image.id, chat: image.chat, compressed: image.path, uniqueID: image.uniqueID)
                }
            }
        }

        private func withBoth(_ pictures: Int64, initialised: Bool = true, _ body: (Both) throws -> Void) throws {
            try PostgresCluster.shared.get().withDatabase { bot in
                try withLibrary { library in
                    try bot.addUser(id: 1, telegramID: 1001)
                    try bot.addChat(id: 1, telegramID: 1001, owner: 1)
                    try library.addPictures(1...pictures)
                    let both = Both(library: library, bot: bot)
                    try both.copy()
                    if initialised { #expect(try both.run("init").status == 0) }
                    try body(both)
                }
            }
        }

        @Test("gives the same answers as files do, from the first count to the last")
        func story() throws {
            try withBoth(40, initialised: false) { both in
                let library = both.library
                try library.write(Array(JPEGWriter.picture(7).prefix(300)), "data/img/7.jpg")
                try FileManager.default.removeItem(atPath: library.folder.appending("data/img/9.jpg").string)
                try FileManager.default.copyItem(
                    atPath: library.folder.appending("data/img/3.jpg").string,
                    toPath: library.folder.appending("data/img/9.jpg").string
                )
                #expect(try both.run("stats").output == library.run("stats").output)
                let early = try both.run("generate", "--all-users")
                #expect(early.status == 65 && early.errors.contains("run semblance init"), "\(early.errors)")
                #expect(try both.run("init").output.contains("The tables of Semblance are in"))
                #expect(try both.run("init").status == 0, "again changes nothing")
                #expect(try library.run("generate", "--all-users").status == 1)
                let generated = try both.run("generate", "--all-users")
                #expect(generated.status == 1 && generated.output.contains("Embedded: 39"), "\(generated.errors)")
                for question in [
                    ["stats"], ["stats", "--user-id", "1001", "--json"],
                    ["similar", "1", "--threshold", "-1", "--json"],
                    ["similar", "data/img/5.jpg", "--threshold", "-1", "--limit", "50"], ["duplicates", "--json"],
                    ["failures", "--json"], ["verify"], ["generate", "--all-users", "--dry-run"],
                ] {
                    let (here, there) = (
                        try library.start(question).wait(), try library.start(question, with: both.server).wait()
                    )
                    #expect(here.output == there.output && here.status == there.status, "\(question) \(there.errors)")
                }
                let again = try both.run("generate", "--all-users")
                #expect(again.status == 0 && again.output.contains("39"), "\(again.output)")
                #expect(try both.run("reindex").output.contains("The index of 39 images is whole"))
                let list = try both.run("space", "list").output
                #expect(list.contains("active") && list.contains("39 vectors"))
                #expect(try both.run("failures", "--retry", "corrupt").output.contains("1 image will be tried again"))
                #expect(try both.run("generate", "--user-id", "1001").output.contains("Failed: 1"))
                let busy = try both.run("workers").output
                #expect(busy.contains("Nobody embeds now") && busy.contains("0 images wait"))
            }
        }

        @Test("is shared by workers: each image is stored once, whichever of them is killed or put to sleep")
        func workers() throws {
            try withBoth(400) { both in
                try both.library.write(Array(JPEGWriter.picture(50).prefix(300)), "data/img/50.jpg")
                let programs = try (0..<3).map { _ in try both.start("generate", "--all-users", "--batch-size", "16") }
                let stored = {
                    try both.bot.number("SELECT coalesce(sum(embedded), 0)::bigint FROM semblance.runs") ?? 0
                }
                try waitUntil { try stored() > 30 }
                programs[0].signal(SIGKILL)
                programs[1].signal(SIGSTOP)
                _ = try programs[0].wait()
                // What the two hold is free when their leases have run out, which here takes no two minutes.
                try both.bot.execute(
                    "UPDATE semblance.claims SET leased_until = clock_timestamp() + interval '1 s' WHERE run_id <> $1",
                    [.int64(try run(of: programs[2], both))]
                )
                try both.bot.execute(
                    "UPDATE semblance.spaces SET planned_until = clock_timestamp() WHERE planner <> $1",
                    [.int64(try run(of: programs[2], both))]
                )
                let last = try programs[2].wait()
                #expect(last.status <= 1, "\(last.errors)")
                programs[1].signal(SIGCONT)
                let woken = try programs[1].wait()
                #expect(woken.status <= 1, "\(woken.errors)")
                let rest = try both.run("generate", "--all-users")
                #expect(rest.status <= 1)
                #expect(try stored() == 399)
                #expect(try both.bot.number("SELECT count(*) FROM semblance.vectors_1") == 399)
                #expect(try both.bot.number("SELECT count(DISTINCT image_id) FROM semblance.vectors_1") == 399)
                #expect(try both.bot.number("SELECT count(embedding) FROM images") == 399)
                #expect(try both.bot.number("SELECT count(*) FROM semblance.work") == 0)
                #expect(try both.bot.number("SELECT image_id FROM semblance.failures WHERE class = 'corrupt'") == 50)
                #expect(try both.run("verify").status == 0)
            }
        }

        @Test("is planned by another worker where the one that planned is not heard of any more")
        func planning() throws {
            try withBoth(30) { both in
                let first = try both.run("generate", "--all-users", "--limit", "5")
                #expect(first.output.contains("Embedded: 5"), "\(first.errors)")
                // What somebody has offered who died before the rest.
                try both.bot.execute("DELETE FROM semblance.work WHERE image_id > 10")
                try both.bot.execute(
                    "UPDATE semblance.spaces SET planner = 999, planned_until = clock_timestamp() + interval '4 s'"
                )
                let second = try both.run("generate", "--all-users")
                #expect(second.status == 0 && second.output.contains("Embedded: 25"), "\(second.output)")
            }
        }

        @Test("comes to its end where most of what was offered needs nothing after all")
        func staleOffers() throws {
            try withBoth(300) { both in
                #expect(try both.run("generate", "--all-users").status == 0)
                for _ in 0..<3 {
                    try both.bot.execute("UPDATE images SET embedding = NULL WHERE id <= 5")
                    try both.bot.execute("DELETE FROM semblance.vectors_1 WHERE image_id <= 5")
                    try both.bot.execute("INSERT INTO semblance.work (space_id, image_id) SELECT 1, id FROM images")
                    let outcome = try both.start("generate", "--all-users").wait(atMost: .seconds(60))
                    #expect(outcome.status == 0 && outcome.output.contains("Embedded: 5"), "\(outcome.output)")
                    #expect(try both.bot.number("SELECT count(*) FROM semblance.work") == 0)
                }
            }
        }

        /// The run of a program.
        private func run(of program: Program, _ both: Both) throws -> Int64? {
            try both.bot.number(
                "SELECT max(id) FROM semblance.runs WHERE name LIKE '%:' || $1",
                [.text("\(program.id)")]
            )
        }

        @Test("is paused and resumed for all workers at once, who ask no more than once a second meanwhile")
        func pause() throws {
            try withBoth(20) { both in
                #expect(try both.run("workers", "pause").status == 0)
                let worker = try both.start("generate", "--all-users")
                try waitUntil { try both.bot.number("SELECT count(*) FROM semblance.work") == 20 }
                let commits = { try both.bot.number(Self.commits) ?? 0 }
                usleep(1_500_000)
                let before = try commits()
                usleep(6_000_000)
                let polls = try commits() - before
                #expect(polls <= 2 * 7 + 6, "\(polls) transactions in six seconds, two for each look")
                let state = try both.run("workers").output
                #expect(state.contains("20 images wait") && state.contains("Paused") && state.contains("clip-ViT-B-32"))
                #expect(worker.isRunning)
                #expect(try both.run("workers", "resume").status == 0)
                #expect(try worker.wait().status == 0)
                #expect(try both.bot.number("SELECT count(embedding) FROM images") == 20)
            }
        }

        private static let commits = """
            SELECT (xact_commit + xact_rollback)::bigint FROM pg_stat_database, pg_stat_force_next_flush()
            WHERE datname = current_database()
            """

        @Test("keeps the time for workers whose clocks are a day wrong")
        func clocks() throws {
            try withBoth(60) { both in
                // A folder in the place of a file cannot be read, which is tried again after an hour.
                let path = both.library.folder.appending("data/img/8.jpg").string
                try FileManager.default.removeItem(atPath: path)
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
                let command = [Program.semblance.string, "generate", "--all-users"]
                let programs = try ["+1d", "-1d"].map { shift in
                    try Program(
                        "/usr/bin/faketime",
                        ["-f", shift] + command,
                        in: both.library.folder,
                        environment: both.library.environment.merging(both.server) { $1 }
                    )
                }
                for program in programs { #expect(try program.wait().status <= 1) }
                #expect(try both.bot.number("SELECT count(embedding) FROM images") == 59)
                let wait = try both.bot.number(
                    "SELECT (next_attempt - extract(epoch FROM clock_timestamp()))::bigint FROM semblance.failures"
                )
                #expect(3500...3600 ~= (wait ?? 0))
                #expect(try both.run("failures", "--json").output.contains("unreadable"))
                #expect(try both.run("generate", "--all-users").output.contains("Failed: 0") == false)
            }
        }

        @Test("is let in without a password that others could read; a wrong one is in no message")
        func passwords() throws {
            try withBoth(1) { both in
                let address = both.bot.address.replacing("postgres@", with: "nobody:hunter2@")
                let option = try both.library.run("stats", "--database", address)
                #expect(option.status == 64 && option.errors.contains("PGPASSFILE"), "\(option.errors)")
                let wrong = try both.library.run("stats", with: ["DATABASE_URL": address])
                #expect(wrong.status == 77, "\(wrong.errors)")
                let doctor = try both.library.run("doctor", with: ["DATABASE_URL": address])
                for outcome in [option, wrong, doctor] {
                    #expect(!(outcome.output + outcome.errors).contains("hunter2"))
                }
                let absent = try both.library.run("stats", with: ["DATABASE_URL": "postgresql://a@127.0.0.1:1/b"])
                #expect(absent.status == 69 && absent.errors.contains("cannot be reached"), "\(absent.errors)")
                let far = try both.library.run(
                    "stats",
                    with: ["DATABASE_URL": "postgresql://a@127.0.0.1:1/b?sslmode=off"]
                )
                #expect(far.status == 69 || far.status == 77, "\(far.errors)")
                let files = try both.library.run("workers")
                #expect(files.status == 64 && files.errors.contains("SQLite"), "\(files.errors)")
                let unfit = try both.run("backup", "x")
                #expect(unfit.status == 64 && unfit.errors.contains("PostgreSQL"), "\(unfit.errors)")
            }
        }

        @Test("is served over HTTP: new images are embedded, all of them by a job, and everything says how far it is")
        func serving() throws {
            try withBoth(12) { both in
                try both.bot.execute("UPDATE images SET mode_used = 'artistic' WHERE id <= 2")
                try both.library.withServer(with: both.server) { port in
                    let embedded = { try both.bot.number("SELECT count(embedding) FROM images") }
                    try waitUntil { try embedded() == 2 }
                    #expect(try both.library.ask(port, "/api/v1/images/3/embed", method: "POST").status == 200)
                    let similar = try both.library.ask(port, "/api/v1/images/1/similar?threshold=-1")
                    #expect((similar.body["hits"] as? [any Sendable])?.count == 2, "\(similar.body)")
                    #expect(try both.library.ask(port, "/api/v1/jobs/backfill", method: "POST").status == 202)
                    try waitUntil { try embedded() == 12 }
                    try waitUntil {
                        let health = try both.library.ask(port, "/health")
                        let statistics = health.body["embedding_stats"] as? [String: any Sendable]
                        return health.status == 200 && statistics?["with_embeddings"] as? Int == 12
                    }
                    let all = try both.library.ask(port, "/api/v1/images/1/similar?threshold=-1&limit=50")
                    #expect((all.body["hits"] as? [any Sendable])?.count == 11)
                    let metrics = try both.library.startTool(["curl", "-s", "http://127.0.0.1:\(port)/metrics"]).wait()
                    #expect(metrics.output.contains(#"semblance_work{state="waiting"} 0"#), "\(metrics.output)")
                    try both.bot.execute("DELETE FROM images WHERE id = 12")
                    let fewer = try both.library.ask(port, "/api/v1/images/1/similar?threshold=-1&limit=50")
                    #expect((fewer.body["hits"] as? [any Sendable])?.count == 10)
                }
            }
        }

        @Test("takes over what a file knows, goes on where that was broken off, and compares both sides")
        func migration() throws {
            try withBoth(30) { both in
                let library = both.library
                try library.write(Array(JPEGWriter.picture(7).prefix(300)), "data/img/7.jpg")
                #expect(try library.run("generate", "--all-users").status == 1)
                try both.bot.execute("DELETE FROM images WHERE id = 30")
                try both.bot.execute("UPDATE images SET file_unique_id = 'exchanged' WHERE id = 29")
                let move = { try library.run("migrate-store", "--to", both.bot.address) }
                let before = try library.snapshot()
                let moved = try move()
                #expect(moved.status == 0, "\(moved.errors)")
                #expect(moved.output.contains("27 vectors are there and equal, 27 of them moved now; 2 left out"))
                #expect(moved.output.contains("1 failures"))
                #expect(
                    try library.snapshot().filter { !$0.key.hasSuffix(".lock") }
                        == before.filter { !$0.key.hasSuffix(".lock") }
                )
                #expect(try both.run("stats").output.contains("27"))
                let published = try both.run("generate", "--all-users")
                #expect(published.status == 0 && published.output.contains("Embedded: 1"), "\(published.output)")
                let question = ["similar", "1", "--threshold", "-1", "--limit", "25", "--json"]
                #expect(try both.run("verify").status == 0)
                let (here, there) = (
                    try library.start(question).wait(), try library.start(question, with: both.server).wait()
                )
                #expect(here.status == 0 && there.status == 0)
                #expect(try both.run("failures").output == library.run("failures").output)
                // As if it had been broken off in the middle.
                try both.bot.execute("DELETE FROM semblance.vectors_1 WHERE image_id BETWEEN 5 AND 9")
                #expect(try move().output.contains("27 vectors are there and equal, 4 of them moved now"))
                try both.bot.execute(
                    "UPDATE semblance.vectors_1 SET embedding = embedding * embedding WHERE image_id = 3"
                )
                let torn = try move()
                #expect(torn.status == 65 && torn.errors.contains("are not those of"), "\(torn.errors)")
            }
        }

        @Test("is told about by doctor: its version, pgvector, whether the way there is encrypted")
        func doctor() throws {
            try withBoth(3) { both in
                let outcome = try both.run("doctor")
                #expect(outcome.output.contains("PostgreSQL 16") && outcome.output.contains("not encrypted"))
                #expect(
                    outcome.output.contains("pgvector 0.8") && outcome.output.contains("3 images"),
                    "\(outcome.output)"
                )
            }
        }
    }
}
