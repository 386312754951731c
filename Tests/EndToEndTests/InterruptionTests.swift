import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A run that is interrupted")
    struct InterruptionTests {
        @Test(
            "stops within seconds, keeps what was stored, and says how to go on",
            arguments: [SIGINT, SIGTERM, SIGHUP]
        )
        func stops(signal: Int32) throws {
            try withLibrary { library in
                try library.addPictures(1...600)
                let run = try library.start(["generate", "--all-users", "--batch-size", "5"])
                try waitUntil { run.errorsSoFar.contains("/600 images") }
                let clock = ContinuousClock()
                run.signal(signal)
                var outcome: Program.Outcome?
                let time = try clock.measure { outcome = try run.wait() }
                #expect(outcome?.status == 128 + signal)
                #expect(outcome?.errors.contains("the same command goes on from here") == true)
                #expect(time < .seconds(10))
                let stored = try #require(try library.json("stats")["with_embeddings"] as? Int)
                #expect(stored > 0)
                #expect(try library.run("generate", "--all-users").status == 0)
                #expect(try library.json("stats")["with_embeddings"] as? Int == 600)
            }
        }

        @Test("by a second signal ends at once, even while it waits for a lock")
        func secondSignal() throws {
            try withLibrary { library in
                try library.addPictures(1...20)
                let bot = try library.startBot("hold", library.database.string, "20")
                defer { bot.signal(SIGKILL) }
                try waitUntil {
                    try FileManager.default.contentsOfDirectory(atPath: library.folder.string + "/data")
                        .contains { $0.hasSuffix("-journal") }
                }
                let run = try library.start(["generate", "--all-users"])
                try waitUntil { run.errorsSoFar.contains("Waiting for another program") }
                run.signal(SIGINT)
                try waitUntil { run.errorsSoFar.contains("a second signal") }
                let clock = ContinuousClock()
                run.signal(SIGINT)
                var status: Int32?
                let time = try clock.measure { status = try run.wait().status }
                #expect(status == 130 && time < .seconds(1))
                bot.signal(SIGKILL)
                _ = try bot.wait()
                #expect(try library.run("generate", "--all-users").status == 0)
            }
        }
    }
}
