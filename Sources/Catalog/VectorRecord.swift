import Digests
package import Vectors

/// What our database says about the vector of one image in one space.
struct VectorRecord: Sendable {
    let id: Int64
    let imageID: Int64
    let fileUniqueID: String
    let blobDigest: [UInt8]
    let isPublished: Bool

    /// Whether some bytes are the blob that this record is about.
    func isBlob(_ bytes: [UInt8]) -> Bool { SHA256Digest(of: bytes).bytes == blobDigest }
}

/// A vector that was just computed, with where it came from.
package struct NewVector: Sendable {
    package let image: ImageRecord
    package let embedding: Embedding
    /// The file that was embedded.
    package let source: SourceFile
    /// Whether it takes the place of something in the bot's database.
    package let isReplacement: Bool

    package init(image: ImageRecord, embedding: Embedding, source: SourceFile, isReplacement: Bool) {
        self.image = image
        self.embedding = embedding
        self.source = source
        self.isReplacement = isReplacement
    }
}

/// Which file, in which state, a vector was made from.
package struct SourceFile: Sendable {
    /// Path, size, time of change and inode: changes whenever the file does.
    package let fingerprint: String
    /// The SHA-256 of the file's bytes.
    package let digest: [UInt8]

    package init(fingerprint: String, digest: [UInt8]) {
        self.fingerprint = fingerprint
        self.digest = digest
    }
}
