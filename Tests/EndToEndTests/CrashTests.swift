import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    /// `make crashes` runs them with more points.
    @Suite("A run that is killed")
    struct CrashTests {
        private static let points = number("SEMBLANCE_CRASH_POINTS", otherwise: 200)
        private static let times = number("SEMBLANCE_CRASH_TIMES", otherwise: 100)

        private static func number(_ name: String, otherwise: Int) -> Int {
            ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise
        }

        /// Ten images: seven without a vector, three with a fake one.
        private func fill(_ library: Library) throws {
            try library.addPictures(1...7)
            try library.addPictures(8...10, embedding: Data(try Fixtures.fakeBlob()), label: Library.model)
        }

        private let arguments = ["generate", "--all-users", "--batch-size", "2"]

        /// What an uninterrupted run leaves in the bot's database.
        private func expected(_ mode: String) throws -> [Int64: BotDatabase.StoredEmbedding] {
            var result: [Int64: BotDatabase.StoredEmbedding] = [:]
            try withLibrary(journalMode: mode) { library in
                try fill(library)
                #expect(try library.start(arguments).wait().status == 0)
                result = try library.bot.embeddings()
            }
            return result
        }

        @Test("at any system call that changes a file loses nothing, and the next run ends as if nothing had happened")
        func atSystemCalls() throws {
            let calls = "pwrite64,fdatasync,fsync,ftruncate,rename,unlink"
            var done = 0
            for mode in ["DELETE", "WAL"] {
                let expected = try expected(mode)
                var isThrough = false
                var point = 0
                while !isThrough && point < Self.points / 2 {
                    point += 1
                    let kill = "inject=\(calls):signal=SIGKILL:when=\(point)"
                    isThrough = try survive(expected, mode) { library in
                        let command = ["strace", "-f", "-o", "/dev/null", "-e", "trace=\(calls)", "-e", kill]
                        return try library.startTool(command + [Program.semblance.string] + arguments).wait()
                    }
                    done += 1
                }
            }
            print("killed at \(done) system calls")
            #expect(done >= min(Self.points, 100))
        }

        @Test("at any time loses nothing, and the next run ends as if nothing had happened")
        func atRandomTimes() throws {
            let expected = ["DELETE": try expected("DELETE"), "WAL": try expected("WAL")]
            var random = SeededGenerator(seed: 2)
            for time in 0..<Self.times {
                let mode = time % 2 == 0 ? "DELETE" : "WAL"
                _ = try survive(try #require(expected[mode]), mode) { library in
                    let run = try library.start(arguments)
                    usleep(.random(in: 0...250_000, using: &random))
                    run.signal(SIGKILL)
                    return try run.wait()
                }
            }
        }

        /// Kills a run in a new library, looks at what it left, and lets the next run finish.
        ///
        /// - Returns: Whether the run came to its end unharmed.
        private func survive(
            _ expected: [Int64: BotDatabase.StoredEmbedding],
            _ mode: String,
            _ run: (Library) throws -> Program.Outcome
        ) throws -> Bool {
            var isThrough = false
            try withLibrary(journalMode: mode) { library in
                try fill(library)
                let original = try library.bot.embeddings()
                try library.bot.close()
                let outcome = try run(library)
                #expect([0, 137].contains(outcome.status), "\(outcome.errors)")
                isThrough = outcome.status == 0
                let verdicts = try library.integrity()
                #expect(verdicts.allSatisfy { $0 == "ok" })
                let left = try BotReader(library.database).embeddings()
                for (id, stored) in left { #expect(stored == original[id] || stored == expected[id], "image \(id)") }
                let stored = left.filter { $0.value == expected[$0.key] }.count
                #expect(stored >= Self.acknowledged(outcome.errors), "\(outcome.errors)")
                let next = try library.start(arguments).wait()
                #expect(next.status == 0, "\(next.errors)")
                #expect(try BotReader(library.database).embeddings() == expected)
                #expect(try library.vectorCount("SELECT count(*) FROM vectors WHERE published") == expected.count)
                #expect(try library.vectorCount("SELECT count(*) FROM index_1_rowids") == expected.count)
                #expect(try library.integrity() == ["ok", "ok"])
                #expect(try !library.snapshot().keys.contains { $0.contains(".part") })
            }
            return isThrough
        }

        /// The images that the last progress line said were done.
        private static func acknowledged(_ errors: String) -> Int {
            let lines = errors.split(separator: "\n").filter { $0.contains("/10 images") }
            return lines.last.flatMap { $0.split(separator: "/").first }.flatMap { Int($0) } ?? 0
        }
    }
}
