import Catalog
package import SystemPackage

/// Pictures' files on another machine.
package protocol MediaSource: Sendable {
    /// The state of a file, without its bytes; `nil` where there is none.
    ///
    /// - Throws: Where nobody can say: the other machine is away, or refuses.
    func state(of path: FilePath) throws -> String?

    /// A file's bytes, at most one more than the limit; `nil` where there is none.
    ///
    /// - Throws: As above, and where it came in part only.
    func read(_ path: FilePath, limit: Int) throws -> MediaFile?
}

/// A file that was fetched.
package struct MediaFile: Sendable {
    /// At most one byte more than was asked for.
    let bytes: [UInt8]
    /// What changes when the file does.
    let state: String

    package init(bytes: [UInt8], state: String) {
        self.bytes = bytes
        self.state = state
    }
}

extension SourceFiles {
    static func state(of path: FilePath, at media: any MediaSource) throws(Fault) -> String {
        try ask(path) { try media.state(of: path).map { "\(path) \($0)" } }
    }

    static func read(_ path: FilePath, _ limit: Int, at media: any MediaSource) throws(Fault) -> Content {
        let file = try ask(path) { try media.read(path, limit: limit) }
        return Content(
            bytes: Array(file.bytes.prefix(limit)),
            fingerprint: "\(path) \(file.state)",
            fileSize: file.bytes.count,
            isCut: file.bytes.count > limit
        )
    }

    /// Only a path below the root means a file there.
    private static func ask<Value>(_ path: FilePath, _ question: () throws -> Value?) throws(Fault) -> Value {
        guard path.isRelative, path.isLexicallyNormal, !path.components.contains(where: { $0.kind != .regular }) else {
            throw Fault(kind: .missing, message: "the row names a file that is not below the folder of pictures")
        }
        let found: Value?
        do {
            found = try question()
        } catch {
            throw Fault(kind: .unreadable, message: "the file cannot be fetched: \(error)", cause: error)
        }
        guard let found else { throw Fault(kind: .missing, message: "no file is there") }
        return found
    }
}
