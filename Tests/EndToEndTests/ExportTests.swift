import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The export command")
    struct ExportTests {
        private static let reading = """
            import json, sqlite3, struct, sys, zipfile
            archive = zipfile.ZipFile("out.npz")
            assert archive.testzip() is None
            def array(name):
                data = archive.read(name + ".npy")
                assert data[:8] == b"\\x93NUMPY\\x01\\x00"
                length = struct.unpack("<H", data[8:10])[0]
                assert (10 + length) % 64 == 0
                return eval(data[10:10 + length].decode()), data[10 + length:]
            head, ids = array("ids")
            assert head["descr"] == "<i8" and head["shape"] == (len(ids) // 8,)
            head, vectors = array("vectors")
            assert head["descr"] == "<f4" and head["shape"] == (len(ids) // 8, 512), head
            head, space = array("space")
            assert head["shape"] == () and json.loads(space)["model"] == "clip-ViT-B-32"
            stored = dict(sqlite3.connect("data/telegram_agent.db").execute("SELECT id, embedding FROM images"))
            numbers = struct.unpack(f"<{len(ids) // 8}q", ids)
            for index, number in enumerate(numbers):
                assert vectors[2048 * index:2048 * (index + 1)] == stored[number][4:]
            print(*numbers)
            """

        @Test("writes archives and lines that other programs read, of images that are still there")
        func formats() throws {
            try withLibrary { library in
                try library.addPictures(1...6)
                #expect(try library.run("export", "out.npz").status == 69)
                #expect(try library.run("generate", "--all-users").status == 0)
                try library.bot.execute("DELETE FROM images WHERE id = 2")
                try library.bot.execute("UPDATE images SET embedding = x'00' WHERE id = 5")
                let outcome = try library.run("export", "out.npz")
                #expect(outcome.status == 0 && outcome.output == "out.npz: 4 images of clip-ViT-B-32, 512 dimensions\n")
                try library.write(Array(Self.reading.utf8), "read.py")
                let read = try library.startTool(["python3", "read.py"]).wait()
                #expect(read.status == 0 && read.output == "1 3 4 6\n", "\(read.errors)")
                #expect(try library.run("export", "out.jsonl", "--user-id", "1001").status == 0)
                let lines = String(
                    decoding: try Fixtures.bytes(of: library.folder.appending("out.jsonl")),
                    as: UTF8.self
                )
                .split(separator: "\n")
                let ids = try lines.map { line in
                    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable]
                    #expect((object?["embedding"] as? [any Sendable])?.count == 512)
                    return object?["image_id"] as? Int
                }
                #expect(ids == [1, 3, 4, 6])
                #expect(try library.run("export", "out.csv").status == 64)
                #expect(try library.run("export", "/nowhere/out.npz").status == 73)
                #expect(!FileManager.default.fileExists(atPath: library.folder.appending("out.npz.part").string))
            }
        }
    }

    @Suite("The failures command")
    struct FailuresTests {
        @Test("lists what could not be embedded and why, and lets the next run try a class again")
        func list() throws {
            try withLibrary { library in
                try library.addPictures(1...3)
                try library.write(Array("no picture".utf8), "data/img/2.jpg")
                try library.write(Array(try Fixtures.bytes(ofImage: "photo_1.jpg").prefix(900)), "data/img/3.jpg")
                try library.bot.addImage(id: 4, compressed: "data/img/none\u{1B}[31m.jpg")
                #expect(try library.run("failures").output == "No failures are recorded.\n")
                #expect(try library.run("generate", "--all-users").status == 1)
                let before = try library.snapshot()
                let outcome = try library.run("failures")
                let lines = outcome.output.split(separator: "\n").map(String.init)
                #expect(outcome.status == 0 && lines.last == "3 images could not be embedded.")
                #expect(lines.contains("image 2: unsupported, tried once") && lines.contains("        data/img/2.jpg"))
                #expect(
                    lines.contains("image 3: corrupt, tried once") && lines.contains("image 4: missing, tried once")
                )
                #expect(!outcome.output.contains("\u{1B}"))
                let listed = try library.run("failures", "--json").output
                let array = try JSONSerialization.jsonObject(with: Data(listed.utf8)) as? [[String: any Sendable]]
                #expect(array?.map { $0["class"] as? String } == ["unsupported", "corrupt", "missing"])
                #expect(try library.snapshot() == before)
                #expect(try library.run("failures", "--retry", "everything").status == 64)
                let retried = try library.run("failures", "--retry", "corrupt")
                #expect(retried.output == "1 image will be tried again by the next semblance generate.\n")
                #expect(try library.json("generate", "--all-users")["failed"] as? [String: Int] == ["corrupt": 1])
            }
        }
    }
}
