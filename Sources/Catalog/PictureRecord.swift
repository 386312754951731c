/// What is known of a picture beside its vector: what its file was, and what it looks like.
package struct PictureRecord: Sendable {
    package let imageID: Int64
    /// The SHA-256 of its file's bytes.
    package let digest: [UInt8]
    /// The state of the file; the same for two images of one file.
    package let fingerprint: String
    /// The file's bytes; `nil` where the vector is of a version that did not note it.
    package let byteCount: Int?
    /// `nil` likewise.
    package let hash: UInt64?
}
