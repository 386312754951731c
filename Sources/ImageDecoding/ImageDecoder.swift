/// The way from a file's bytes to an upright RGB picture.
///
/// JPEG, PNG, WebP and GIF by their magic bytes; of an animation the first frame; grey, palette, 16-bit and CMYK as
/// Pillow's `convert("RGB")` gives them; transparency over white. Limits are checked before memory is taken.
package enum ImageDecoder {
    /// Reads the header alone.
    package static func header(
        of file: [UInt8],
        limits: ImageLimits = .standard
    ) throws(ImageDecodingError) -> ImageHeader {
        try limits.check(fileBytes: file.count)
        let format = try ImageFormat(sniffing: file)
        let (width, height) =
            switch format {
            case .jpeg: try JPEGStructure(of: file, limits: limits).size
            case .png: try PNGDecoder.size(of: file)
            case .webp: try WebPDecoder.size(of: file)
            case .gif: try GIFDecoder.size(of: file)
            }
        try limits.check(width: width, height: height)
        return ImageHeader(format: format, width: width, height: height)
    }

    /// Decodes the picture.
    ///
    /// - Parameters:
    ///   - shortSide: The pixels that the short side must keep; a larger JPEG may be decoded at the smallest scale (in
    ///     eighths) that keeps them. `nil` decodes at full size.
    ///   - allowsTruncated: Whether a JPEG, WebP or GIF that was cut off is decoded as far as it goes; what is missing is
    ///     white, or grey in a JPEG.
    package static func decode(
        _ file: [UInt8],
        shortSide: Int? = nil,
        allowsTruncated: Bool = false,
        limits: ImageLimits = .standard
    ) throws(ImageDecodingError) -> PixelImage {
        let header = try header(of: file, limits: limits)
        switch header.format {
        case .jpeg:
            return try JPEGDecoder.decode(
                file,
                shortSide: shortSide,
                allowsTruncated: allowsTruncated,
                limits: limits
            )
        case .png: return try PNGDecoder.decode(file, header: header, limits: limits)
        case .webp: return try WebPDecoder.decode(file, header: header, allowsTruncated: allowsTruncated)
        case .gif: return try GIFDecoder.decode(file, header: header, allowsTruncated: allowsTruncated)
        }
    }
}
