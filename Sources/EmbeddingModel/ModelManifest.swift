import Digests
package import FoundationEssentials
package import SystemPackage

/// What a model's folder should hold: `semblance.json`, with the size and the SHA-256 of every file.
package struct ModelManifest: Codable, Sendable, Equatable {
    /// The file's name in the model's folder.
    package static let fileName = "semblance.json"

    /// Where the model is from, such as "openai/clip-vit-base-patch32"; `nil` where nobody said.
    package var source: String?
    /// The files by name.
    package var files: [String: File]

    /// One file.
    package struct File: Codable, Sendable, Equatable {
        /// In bytes.
        package let size: Int
        /// In hexadecimal.
        package let sha256: String

        package init(size: Int, sha256: String) {
            self.size = size
            self.sha256 = sha256
        }
    }

    package init(source: String?, files: [String: File]) {
        self.source = source
        self.files = files
    }

    /// Describes a file that is there; a large one passes through memory piece by piece.
    package static func describe(_ path: FilePath) throws(EmbeddingModelError) -> File {
        let file = try MappedFile(path)
        let count = file.bytes.count
        return File(size: count, sha256: file.digest(of: 0..<count).hexadecimal)
    }

    /// This manifest as it stands in the folder.
    package var data: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self) + Data("\n".utf8)
        }
    }
}
