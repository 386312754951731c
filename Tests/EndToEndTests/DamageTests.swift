import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A disk or a database that fails")
    struct DamageTests {
        /// Six hundred images with long rows, so that the table has many pages.
        private func fill(_ library: Library) throws {
            for id in 1...600 {
                try library.bot.addImage(id: Int64(id), original: "data/img/\(id).jpg", embedding: Data(count: 900))
            }
            try library.bot.close()
        }

        private let statuses: Set<Int32> = [0, 1, 64, 65, 73, 75]

        @Test("whose bytes are flipped anywhere is refused or read, never a crash, and never written when damaged")
        func flippedBytes() throws {
            try withLibrary { library in
                try fill(library)
                let whole = try Fixtures.bytes(of: library.database)
                var random = SeededGenerator(seed: 4)
                for round in 0..<500 {
                    var damaged = whole
                    let start =
                        round < 100
                        ? Int.random(in: 0..<100, using: &random) : Int.random(in: 0..<whole.count, using: &random)
                    for offset in start..<min(start + 8, whole.count) {
                        damaged[offset] = UInt8.random(in: 0...255, using: &random)
                    }
                    try Data(damaged).write(to: URL(filePath: library.database.string))
                    for command in [["stats"], ["stats", "--salvage"]] {
                        let outcome = try library.start(command).wait(atMost: .seconds(60))
                        #expect(
                            statuses.contains(outcome.status),
                            "offset \(start): \(outcome.status) \(outcome.errors)"
                        )
                    }
                    #expect(try Fixtures.bytes(of: library.database) == damaged)
                }
            }
        }

        @Test("that was cut off at any page is refused with 65 and not written")
        func truncated() throws {
            try withLibrary { library in
                try fill(library)
                let whole = try Fixtures.bytes(of: library.database)
                for pages in stride(from: 0, to: whole.count / 4096, by: 7) {
                    let damaged = Data(whole.prefix(pages * 4096))
                    try damaged.write(to: URL(filePath: library.database.string))
                    let outcome = try library.run("generate", "--all-users")
                    #expect(outcome.status == 65, "\(pages) pages: \(outcome.errors)")
                    #expect(try Data(Fixtures.bytes(of: library.database)) == damaged)
                }
            }
        }

        @Test("still has its readable rows counted with --salvage")
        func salvage() throws {
            try withLibrary { library in
                try fill(library)
                var bytes = try Fixtures.bytes(of: library.database)
                let page = bytes.count / 4096 / 2
                for offset in (page * 4096)..<(page * 4096 + 4096) { bytes[offset] = 0xEE }
                try Data(bytes).write(to: URL(filePath: library.database.string))
                #expect(try library.run("stats").status == 65)
                let salvaged = try library.run("stats", "--salvage")
                #expect(salvaged.status == 0 && salvaged.output.contains("Damaged places"), "\(salvaged.output)")
                let total = salvaged.output.split(separator: "\n").first { $0.hasPrefix("Total") }?.filter(\.isNumber)
                #expect((550..<600).contains(Int(total ?? "") ?? 0), "\(salvaged.output)")
            }
        }

        @Test(
            "that is full or failing stops the run with 73; what was stored stays and the next run goes on",
            arguments: [
                "ENOSPC", "EIO", "EDQUOT", "EROFS",
            ]
        )
        func failingDisk(error: String) throws {
            try withLibrary { library in
                try library.addPictures(1...10)
                for point in [1, 8, 20, 35, 50, 80] {
                    let failure = "inject=pwrite64,fdatasync:error=\(error):when=\(point)+"
                    let outcome = try library.startTool([
                        "strace", "-f", "-o", "/dev/null", "-e", "trace=pwrite64,fdatasync", "-e", failure,
                        Program.semblance.string, "generate", "--all-users", "--batch-size", "2",
                    ]).wait()
                    #expect([0, 73].contains(outcome.status), "\(point): \(outcome.status) \(outcome.errors)")
                    #expect(try library.integrity().allSatisfy { $0 == "ok" })
                }
                let last = try library.run("generate", "--all-users")
                #expect(last.status == 0, "\(last.errors)")
                #expect(try library.json("stats")["with_embeddings"] as? Int == 10)
            }
        }

        @Test("with an index that cannot be loaded stores all the same and says so once")
        func withoutIndex() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                let outcome = try library.run(
                    "generate",
                    "--all-users",
                    with: ["SEMBLANCE_SQLITE_VEC": "/nowhere/vec0.so"]
                )
                #expect(outcome.status == 0)
                #expect(outcome.errors.components(separatedBy: "No index").count == 2, "\(outcome.errors)")
                #expect(try library.json("stats")["with_embeddings"] as? Int == 3)
            }
        }

        @Test("with too little space for a backup replaces nothing and says how to go on")
        func noSpaceForBackup() throws {
            try withLibrary { library in
                try library.addPictures(1...3, embedding: Data(try Fixtures.fakeBlob()), label: Library.model)
                try library.bot.execute("UPDATE images SET analysis = hex(randomblob(1000000)) WHERE id = 1")
                let before = try library.bot.embeddings()
                let disk = library.folder.appending("disk").string
                try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
                #expect(mount("tmpfs", disk, "tmpfs", 0, "size=12m") == 0, "mounting needs root")
                defer { umount2(disk, Int32(MNT_DETACH)) }
                try library.bot.close()
                try FileManager.default.moveItem(atPath: library.database.string, toPath: disk + "/bot.db")
                let address = ["DATABASE_URL": disk + "/bot.db", "SEMBLANCE_ROOT": library.folder.string]
                try Data(count: 8_000_000).write(to: URL(filePath: disk + "/filler"))
                let outcome = try library.run("generate", "--all-users", with: address)
                #expect(outcome.status == 73 && outcome.errors.contains("--no-backup"), "\(outcome.errors)")
                #expect(try BotReader(FilePath(disk + "/bot.db")).embeddings() == before)
                try FileManager.default.removeItem(atPath: disk + "/filler")
                let next = try library.run("generate", "--all-users", with: address)
                #expect(next.status == 0 && next.errors.contains("Backup"), "\(next.errors)")
                let names = try FileManager.default.contentsOfDirectory(atPath: disk)
                #expect(!names.contains { $0.contains(".part") })
            }
        }

        @Test("that is full in the middle of a run leaves whole databases; with space again the run goes on")
        func fullDisk() throws {
            try withLibrary { library in
                try library.addPictures(1...60)
                let disk = library.folder.appending("disk").string
                try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
                #expect(mount("tmpfs", disk, "tmpfs", 0, "size=500k") == 0, "mounting needs root")
                defer { umount2(disk, Int32(MNT_DETACH)) }
                try library.bot.close()
                try FileManager.default.moveItem(atPath: library.database.string, toPath: disk + "/bot.db")
                let address = ["DATABASE_URL": disk + "/bot.db", "SEMBLANCE_ROOT": library.folder.string]
                let outcome = try library.run("generate", "--all-users", with: address)
                #expect(outcome.status == 73, "\(outcome.status) \(outcome.errors)")
                #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=5m") == 0)
                #expect(try library.run("generate", "--all-users", with: address).status == 0)
                let stats = try library.run("stats", with: address)
                #expect(stats.output.contains("Images with embeddings: 60"), "\(stats.output)")
            }
        }

        @Test("with a file that was cut off embeds it where the user wants that")
        func allowTruncated() throws {
            try withLibrary { library in
                let file = JPEGWriter.picture(1, width: 300, height: 200)
                try library.write(Array(file.prefix(file.count / 2)), "data/img/1.jpg")
                try library.bot.addImage(id: 1, compressed: "data/img/1.jpg")
                #expect(try library.run("generate", "--all-users").status == 1)
                let outcome = try library.run("generate", "--all-users", "--retry-failed", "--allow-truncated")
                #expect(outcome.status == 0 && outcome.output.hasPrefix("Embedded: 1"), "\(outcome.output)")
            }
        }
    }
}
