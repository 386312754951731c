import EmbeddingModel
import ImageDecoding

/// A picture that somebody sent, read: as it came, and as it is kept for looking at.
struct SentPicture: Sendable {
    let original: [UInt8]
    /// A JPEG of at most 1024 pixels on the long side, upright, without EXIF.
    let processed: [UInt8]
    let format: ImageFormat
    /// Of the picture as it came, in pixels.
    let width: Int
    let height: Int

    private static let longSide = 1024
    private static let quality = 85

    init(_ file: [UInt8]) throws(ImageDecodingError) {
        let header = try ImageDecoder.header(of: file)
        let pixels = try ImageDecoder.decode(file, shortSide: Self.longSide)
        original = file
        processed = try JPEGEncoder.encode(
            Preprocessing.fitted(pixels, longSide: Self.longSide),
            quality: Self.quality
        )
        (format, width, height) = (header.format, header.width, header.height)
    }

    /// How its file's name ends.
    var fileExtension: String { format == .jpeg ? "jpg" : format.rawValue }
}
