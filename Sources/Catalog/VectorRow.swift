/// A vector with all that is known of it, as it is stored.
package struct VectorRow: Sendable {
    let imageID: Int64
    let fileUniqueID: String
    /// The owner's Telegram id; 0 where nobody is known.
    let owner: Int64
    let isPublished: Bool
    /// The bytes that stand in the bot's row.
    let blob: [UInt8]
    let blobDigest: [UInt8]
    let sourceDigest: [UInt8]
    let sourceFingerprint: String
    let sourceSize: Int64?
    let perceptualHash: Int64?
}
