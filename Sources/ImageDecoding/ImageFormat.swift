/// A picture file's format, told from its first bytes and never from its name.
package enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg
    case png
    case webp
    case gif

    /// The format of a file.
    ///
    /// - Throws: `.unsupported`, naming the format where it is a known one; `.truncated` for a file without bytes.
    package init(sniffing file: [UInt8]) throws(ImageDecodingError) {
        guard !file.isEmpty else { throw ImageDecodingError(.truncated, "the file is empty") }
        for (format, matches) in Self.supported where matches(file) {
            self = format
            return
        }
        let name = Self.refused.first { $0.matches(file) }?.name
        throw ImageDecodingError(
            .unsupported,
            name.map { "\($0) files are not read; JPEG, PNG, WebP and GIF are" }
                ?? "the file is neither JPEG, PNG, WebP nor GIF"
        )
    }

    private static let supported: [(ImageFormat, @Sendable ([UInt8]) -> Bool)] = [
        (.jpeg, { $0.starts(with: [0xFF, 0xD8, 0xFF]) }),
        (.png, { $0.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) }),
        (.webp, { $0.starts(with: "RIFF".utf8) && $0.dropFirst(8).starts(with: "WEBP".utf8) }),
        (.gif, { $0.starts(with: "GIF87a".utf8) || $0.starts(with: "GIF89a".utf8) }),
    ]

    private static let refused: [(name: String, matches: @Sendable ([UInt8]) -> Bool)] = [
        ("BMP", { $0.starts(with: "BM".utf8) }),
        ("TIFF", { $0.starts(with: [0x49, 0x49, 0x2A, 0]) || $0.starts(with: [0x4D, 0x4D, 0, 0x2A]) }),
        ("PSD", { $0.starts(with: "8BPS".utf8) }),
        ("JPEG XL", { $0.starts(with: [0xFF, 0x0A]) || $0.dropFirst(4).starts(with: "JXL ".utf8) }),
        ("JPEG 2000", { $0.dropFirst(4).starts(with: "jP  ".utf8) }),
        ("AVIF", { $0.dropFirst(4).starts(with: "ftypavi".utf8) }),
        ("HEIC", { $0.dropFirst(4).starts(with: "ftyphei".utf8) || $0.dropFirst(4).starts(with: "ftypmif".utf8) }),
        ("PDF", { $0.starts(with: "%PDF".utf8) }),
        ("ZIP", { $0.starts(with: [0x50, 0x4B, 3, 4]) }),
        ("SVG, XML or HTML", { $0.first { $0 > 0x20 } == UInt8(ascii: "<") }),
    ]
}
