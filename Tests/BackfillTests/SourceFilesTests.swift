import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Backfill
@testable import Catalog

@Suite("The file of an image")
struct SourceFilesTests {
    private func image(_ paths: FilePath...) -> ImageRecord {
        ImageRecord(id: 1, fileUniqueID: "a", chatID: 1, isCompleted: true, paths: paths, stored: .nothing, label: nil)
    }

    private func text(_ files: SourceFiles, _ paths: [FilePath]) throws -> String {
        let image = ImageRecord(
            id: 1,
            fileUniqueID: "a",
            chatID: 1,
            isCompleted: true,
            paths: paths,
            stored: .nothing,
            label: nil
        )
        return String(decoding: try files.read(image, limit: 100).bytes, as: UTF8.self)
    }

    private func write(_ text: String, _ path: FilePath) {
        _ = FileManager.default.createFile(atPath: path.string, contents: Data(text.utf8))
    }

    @Test("is the first one that is there")
    func order() throws {
        try withTemporaryFolder { folder in
            let files = SourceFiles(root: folder)
            write("original", folder.appending("o.jpg"))
            let fallback = try text(files, ["c.jpg", "o.jpg"])
            #expect(fallback == "original")
            write("compressed", folder.appending("c.jpg"))
            #expect(try text(files, ["c.jpg", "o.jpg"]) == "compressed")
            #expect(try text(files, [folder.appending("o.jpg")]) == "original")
        }
    }

    @Test("is shown to others only where it really lies below the root, whatever the row says")
    func containment() throws {
        try withTemporaryFolder { folder in
            let root = folder.appending("root")
            for path in [root.appending("inner"), folder.appending("outer")] {
                try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
            }
            write("inside", root.appending("inner/a.jpg"))
            write("secret", folder.appending("outer/b.jpg"))
            write("secret", folder.appending("root.jpg"))
            for (name, target) in [
                ("in", "inner/a.jpg"), ("out", "../outer/b.jpg"), ("dir", "../outer"), ("abs", "\(folder)/outer/b.jpg"),
                ("loop", "loop"), ("passwd", "/etc/passwd"), ("proc", "/proc/self/environ"),
            ] {
                #expect(symlink(target, root.appending(name).string) == 0)
            }
            let files = SourceFiles(root: root)
            func shown(_ path: FilePath) -> String? {
                files.contained(image(path), limit: 1000).map { String(decoding: $0.bytes, as: UTF8.self) }
            }
            for path in ["inner/a.jpg", "in", "inner/../in", root.appending("in"), "dir/../root/in"] as [FilePath] {
                #expect(shown(path) == "inside", "\(path)")
            }
            for path in [
                "../outer/b.jpg", "inner/../../outer/b.jpg", "out", "dir/b.jpg", "abs", "loop", "passwd", "proc",
                "/etc/passwd", folder.appending("outer/b.jpg"), "../root.jpg", "", ".", "nowhere",
            ] as [FilePath] {
                #expect(shown(path) == nil, "\(path)")
            }
            #expect(files.contained(image("in"), limit: 3) == nil)
        }
    }

    @Test("that is nowhere is missing; what is no file is unreadable, and nothing is waited for")
    func faults() throws {
        try withTemporaryFolder { folder in
            let files = SourceFiles(root: folder)
            #expect(mkfifo(folder.appending("pipe").string, 0o600) == 0)
            #expect(symlink("loop", folder.appending("loop").string) == 0)
            #expect(symlink("/dev/zero", folder.appending("device").string) == 0)
            write("x", folder.appending("file"))
            let long = FilePath(String(repeating: "x", count: 300))
            for path in ["nowhere", "file/below", "loop", long] as [FilePath] {
                expect(.missing, try files.read(image(path), limit: 10))
            }
            for path in ["pipe", "device", "."] as [FilePath] {
                expect(.unreadable, try files.read(image(path), limit: 10))
            }
            expect(.missing, try files.read(image(), limit: 10))
        }
    }

    @Test("may have any name that a file can have")
    func names() throws {
        try withTemporaryFolder { folder in
            let raw = FilePath(platformString: [0x66, -1, -2, 0x2E, 0x6A, 0])
            for name in ["a\nb.jpg", "-rf", "🖼.jpg", " .jpg", raw] as [FilePath] {
                let path = folder.pushing(name)
                let descriptor = path.withPlatformString { open($0, O_CREAT | O_WRONLY, 0o600) }
                #expect(descriptor >= 0)
                close(descriptor)
                let content = try text(SourceFiles(root: folder), [name])
                #expect(content.isEmpty)
            }
        }
    }

    @Test("is read up to the limit and no further, even where it claims to hold a terabyte")
    func limit() throws {
        try withTemporaryFolder { folder in
            let files = SourceFiles(root: folder)
            let path = folder.appending("sparse")
            write("", path)
            #expect(truncate(path.string, 1 << 40) == 0)
            let content = try files.read(image("sparse"), limit: 5000)
            #expect(content.isCut && content.bytes.count == 5000)
            write("12345", folder.appending("exact"))
            let whole = try files.read(image("exact"), limit: 5)
            let cut = try files.read(image("exact"), limit: 4)
            #expect(!whole.isCut && cut.isCut)
        }
    }

    @Test("has another fingerprint when it was changed")
    func fingerprint() throws {
        try withTemporaryFolder { folder in
            let files = SourceFiles(root: folder)
            write("a", folder.appending("f"))
            let first = try files.fingerprint(of: image("f"))
            let again = try files.fingerprint(of: image("f"))
            write("b", folder.appending("f"))
            let changed = try files.fingerprint(of: image("f"))
            #expect(again == first && changed != first)
        }
    }

    private func expect(_ kind: FailureRecord.Class, _ work: @autoclosure () throws -> SourceFiles.Content) {
        let fault = #expect(throws: SourceFiles.Fault.self) { try work() }
        #expect(fault?.kind == kind)
    }
}

@Suite("A bounded queue")
struct BoundedQueueTests {
    @Test("hands everything on in order, however slow the reader, and never holds more than it may")
    func order() {
        let queue = BoundedQueue<Int>(capacity: 3)
        let writer = WorkerThread {
            for number in 1...1000 { queue.push(number) }
            queue.close()
        }
        var got: [Int] = []
        while let number = queue.pop() { got.append(number) }
        writer.join()
        #expect(got == Array(1...1000))
    }

    @Test("that is closed drops what is pushed and gives what it has")
    func closed() {
        let queue = BoundedQueue<Int>(capacity: 3)
        queue.push(1)
        queue.close()
        #expect(!queue.push(2))
        #expect(queue.pop() == 1)
        #expect(queue.pop() == nil)
    }
}
