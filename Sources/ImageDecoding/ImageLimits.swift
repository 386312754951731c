/// The largest picture that is decoded; everything is checked before memory for pixels is taken.
package struct ImageLimits: Sendable {
    /// Bytes of a file; Telegram hands out files of up to 20 MB.
    package var fileBytes = 20_000_000
    /// Pixels along one side.
    package var side = 16_384
    /// Pixels in all.
    package var pixels = 50_000_000
    /// Scans of a progressive JPEG, each of which costs a pass over all coefficients.
    package var scans = 100

    package init() {}

    /// The limits that Semblance works with.
    package static let standard = ImageLimits()

    func check(fileBytes count: Int) throws(ImageDecodingError) {
        guard count <= fileBytes else {
            throw ImageDecodingError(.tooLarge, "the file has more than \(fileBytes) bytes")
        }
    }

    func check(width: Int, height: Int) throws(ImageDecodingError) {
        guard width > 0, height > 0 else {
            throw ImageDecodingError(.corrupt, "the picture is \(width)×\(height) pixels")
        }
        guard width <= side, height <= side, width * height <= pixels else {
            throw ImageDecodingError(
                .tooLarge,
                "the picture is \(width)×\(height) pixels; at most \(side) a side and \(pixels) in all are read"
            )
        }
    }
}
