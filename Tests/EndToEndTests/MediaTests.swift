import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Pictures behind an address")
    struct MediaTests {
        /// A library whose files are on another machine.
        private func withMedia(_ count: Int64, _ body: (Library, [String: String]) throws -> Void) throws {
            try withLibrary { library in
                try library.addPictures(1...count)
                let there = library.folder.appending("there")
                try FileManager.default.createDirectory(atPath: there.string, withIntermediateDirectories: false)
                try FileManager.default.createDirectory(
                    atPath: there.appending("data").string,
                    withIntermediateDirectories: false
                )
                try FileManager.default.moveItem(
                    atPath: library.folder.appending("data/img").string,
                    toPath: there.appending("data/img").string
                )
                let script = Fixtures.project.appending("Tests/TestSupport/media_simulator.py").string
                let server = try library.startTool(["python3", "-u", script, there.string])
                defer {
                    server.signal(SIGKILL)
                    _ = try? server.wait()
                }
                let port = try #require(try server.waitForLine())
                try body(library, ["SEMBLANCE_MEDIA_URL": "http://127.0.0.1:\(port)"])
            }
        }

        @Test(
            "are embedded as files are; what is not there, or not below the folder, is on record and not asked for again"
        )
        func story() throws {
            try withMedia(6) { library, media in
                try library.bot.addImage(id: 7, compressed: "data/img/none.jpg")
                try library.bot.addImage(id: 8, compressed: "/etc/passwd", uniqueID: "eight")
                try library.bot.addImage(id: 9, compressed: "data/../../x.jpg", uniqueID: "nine")
                try library.write(Array(JPEGWriter.picture(3).prefix(300)), "there/data/img/broken.jpg")
                try library.bot.addImage(id: 10, compressed: "data/img/broken.jpg")
                try library.write(JPEGWriter.picture(11), "there/data/img/ä ?#%.jpg")
                try library.bot.addImage(id: 11, compressed: "data/img/ä ?#%.jpg")
                let outcome = try library.run("generate", "--all-users", with: media)
                #expect(outcome.status == 1 && outcome.output.contains("Embedded: 7"), "\(outcome.errors)")
                #expect(outcome.output.contains("Failed: 4"))
                let stats = try library.run("stats", with: media).output
                #expect(
                    stats.contains("Unreachable files: 3") && stats.contains("Images with embeddings: 7"),
                    "\(stats)"
                )
                let failures = try library.run("failures", with: media).output
                #expect(failures.contains("not below the folder of pictures") && failures.contains("corrupt"))
                let asked = try String(contentsOfFile: library.folder.appending("there/asked").string, encoding: .utf8)
                #expect(!asked.contains("passwd") && !asked.contains("x.jpg"))
                let again = try library.run("generate", "--all-users", with: media)
                #expect(again.status == 0 && again.output.contains("Nothing to do"), "\(again.output)")
                try library.write(JPEGWriter.picture(10), "there/data/img/broken.jpg")
                #expect(try library.run("generate", "--all-users", with: media).output.contains("Embedded: 1"))
                #expect(try library.run("similar", "11", "--threshold", "-1", with: media).status == 0)
            }
        }

        @Test(
            "end the run, and are charged to no image, where the other machine is away, refuses, sends on, or gives half",
            arguments: [("500", 75), ("silent", 75), ("half", 75), ("redirect", 69), ("forbidden", 69)]
        )
        func away(mode: String, status: Int32) throws {
            try withMedia(3) { library, media in
                try library.write(Array(mode.utf8), "there/mode")
                let outcome = try library.run("generate", "--all-users", with: media)
                #expect(outcome.status == status && outcome.errors.contains("SEMBLANCE_MEDIA_URL"), "\(outcome.errors)")
                #expect(try library.vectorCount("SELECT count(*) FROM failures") == 0)
                try FileManager.default.removeItem(atPath: library.folder.appending("there/mode").string)
                #expect(try library.run("generate", "--all-users", with: media).output.contains("Embedded: 3"))
            }
        }

        @Test("must have an address that names a web server and nothing else")
        func addresses() throws {
            try withLibrary { library in
                for address in ["ftp://a/b", "http://", "http://u:p@h/", "http://h/?q=1", "/srv/pictures"] {
                    let outcome = try library.run("stats", "--media-url", address)
                    #expect(outcome.status == 64 && outcome.errors.contains("SEMBLANCE_MEDIA_URL"), "\(address)")
                }
            }
        }
    }
}
