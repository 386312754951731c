package import Vectors

/// What our database says about the vector of one image in one space.
struct VectorRecord: Sendable {
    let id: Int64
    let imageID: Int64
    let fileUniqueID: String
    let blobDigest: [UInt8]
    let isPublished: Bool
    /// The SHA-256 of the file that it was made from.
    let sourceDigest: [UInt8]
    /// Whether the picture's perceptual hash was kept with it, which the first version did not.
    let isDescribed: Bool

    /// Whether the bot's row holds just this vector.
    func isHeld(by image: ImageRecord) -> Bool { isHeld(by: image, digest: image.storedDigest) }

    /// The same, where the digest of what the row holds is known: hashing is what surveys spend their time with.
    func isHeld(by image: ImageRecord, digest: [UInt8]?) -> Bool {
        fileUniqueID == image.fileUniqueID && digest == blobDigest
    }
}

/// A vector that was just computed, with where it came from.
package struct NewVector: Sendable {
    package let image: ImageRecord
    package let embedding: Embedding
    /// The file that was embedded.
    package let source: SourceFile
    /// How it came about.
    package let origin: Origin

    /// How a vector came about.
    package enum Origin: Sendable {
        /// Computed, where nothing was.
        case new
        /// Computed, and takes the place of something in the bot's database.
        case replacement
        /// Taken over from the bot's database, after a sample of such vectors was found right.
        case adopted
        /// Ours already; its file was looked at again.
        case described
    }

    package init(image: ImageRecord, embedding: Embedding, source: SourceFile, origin: Origin) {
        self.image = image
        self.embedding = embedding
        self.source = source
        self.origin = origin
    }
}

/// Which file, in which state, a vector was made from.
package struct SourceFile: Sendable {
    /// Path, size, time of change and inode: changes whenever the file does.
    package let fingerprint: String
    /// The SHA-256 of the file's bytes.
    package let digest: [UInt8]
    /// How many bytes it has.
    package let byteCount: Int
    /// What the picture in it looks like, roughly.
    package let perceptualHash: PerceptualHash

    package init(fingerprint: String, digest: [UInt8], byteCount: Int, perceptualHash: PerceptualHash) {
        self.fingerprint = fingerprint
        self.digest = digest
        self.byteCount = byteCount
        self.perceptualHash = perceptualHash
    }
}

/// What our database knows about some images, by their ids.
package struct KnownImages {
    /// Their vectors of the space that is looked at.
    var vectors: [Int64: VectorRecord] = [:]
    /// Their vectors of all other spaces.
    var elsewhere: [Int64: [VectorRecord]] = [:]
    /// Why they could not be embedded in the space.
    var failures: [Int64: FailureRecord] = [:]
}
