import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A command that only reads")
    struct ReadOnlyTests {
        private let commands = [
            ["stats"], ["stats", "--user-id", "1001"], ["stats", "--json"], ["doctor"],
            ["generate", "--all-users", "--dry-run"],
        ]

        /// Those that need vectors.
        private let answers = [
            ["similar", "1", "--threshold", "-1"], ["duplicates"], ["space", "list"], ["failures"], ["verify"],
            ["verify", "--sample", "2"], ["export", "vectors.npz"], ["backup", "copy.db"],
        ]

        @Test("changes no byte and makes no file", arguments: ["DELETE", "WAL"], [false, true])
        func changesNothing(mode: String, isFilled: Bool) throws {
            try withLibrary(journalMode: mode) { library in
                try library.addPictures(1...4)
                if isFilled { #expect(try library.run("generate", "--all-users", "--limit", "2").status == 0) }
                try library.bot.close()
                let before = try library.snapshot()
                for command in commands + (isFilled ? answers : []) {
                    let outcome = try library.start(command).wait()
                    #expect(outcome.status == 0, "\(command) \(outcome.errors)")
                    #expect(try library.snapshot() == before, "\(command)")
                    for file in ["vectors.npz", "copy.db", "copy.db.semblance"] { unlink("\(library.folder)/\(file)") }
                }
            }
        }

        @Test("works beside a bot that has its database open", arguments: ["DELETE", "WAL"])
        func besideTheBot(mode: String) throws {
            try withLibrary(journalMode: mode) { library in
                try library.addPictures(1...4)
                let before = try library.snapshot().filter { !$0.key.hasSuffix("-shm") }
                for command in commands { #expect(try library.start(command).wait().status == 0, "\(command)") }
                #expect(try library.snapshot().filter { !$0.key.hasSuffix("-shm") } == before)
            }
        }

        @Test("says so where the database was left in the middle of a write, and leaves that to a writer")
        func hotJournal() throws {
            try withLibrary { library in
                try library.addPictures(1...4)
                try library.bot.close()
                let journal = library.database.string + "-journal"
                let killer =
                    "import os,sqlite3;c=sqlite3.connect('\(library.database)',isolation_level=None);"
                    + "c.execute('PRAGMA cache_size=1');c.execute('BEGIN');"
                    + "c.execute('UPDATE images SET analysis=zeroblob(100000)');os.kill(os.getpid(),9)"
                #expect(try library.startTool(["python3", "-c", killer]).wait().status == 137)
                #expect(FileManager.default.fileExists(atPath: journal))
                let before = try library.snapshot()
                let stats = try library.run("stats")
                #expect(stats.status == 75 && stats.errors.contains("in the middle of a write"), "\(stats.errors)")
                #expect(try library.snapshot() == before)
                let run = try library.run("generate", "--all-users")
                #expect(run.status == 0, "\(run.errors)")
                #expect(try library.run("stats").status == 0)
            }
        }
    }
}
