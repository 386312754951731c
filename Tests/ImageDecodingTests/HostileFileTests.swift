import ImageDecoding
import TestSupport
import Testing

@Suite("A hostile file")
struct HostileFileTests {
    private static let seeds = [
        "baseline.jpg", "progressive.jpg", "cmyk.jpg", "color.png", "palette_alpha.png", "lossy.webp",
        "lossless_alpha.webp", "animated.webp", "still.gif",
    ]

    /// Of an animation the first frame may be whole while the rest is cut off; the last bytes of a still picture are
    /// checksums and end marks.
    private static let stills = (try? Fixtures.picturesWithReference().filter { !$0.hasPrefix("animated") }) ?? []

    @Test("that is cut off anywhere is refused", arguments: stills)
    func truncated(name: String) throws {
        let file = try Fixtures.bytes(ofImage: name)
        for length in stride(from: 0, to: file.count - 24, by: max(1, file.count / 200)) {
            #expect(throws: ImageDecodingError.self, "\(length) of \(file.count) bytes") {
                try ImageDecoder.decode(Array(file.prefix(length)))
            }
        }
    }

    @Test(
        "that is cut off is decoded as far as it goes where that is wanted",
        arguments: [
            "baseline.jpg", "progressive.jpg", "lossy.webp", "lossless_alpha.webp", "still.gif",
        ]
    )
    func allowedTruncated(name: String) throws {
        let file = try Fixtures.bytes(ofImage: name)
        let whole = try ImageDecoder.decode(file)
        let half = try ImageDecoder.decode(Array(file.prefix(file.count * 3 / 4)), allowsTruncated: true)
        #expect(half.width == whole.width && half.height == whole.height && half != whole)
        let rows = whole.width * 3 * 8
        let differences = zip(half.samples.prefix(rows), whole.samples.prefix(rows)).map { abs(Int($0) - Int($1)) }
        #expect(differences.reduce(0, +) < rows * 12, "the first rows are there")
        #expect(throws: ImageDecodingError.self, "libspng gives no rows of a chunk that is cut off") {
            try ImageDecoder.decode(
                Array(try Fixtures.bytes(ofImage: "color.png").dropLast(5000)),
                allowsTruncated: true
            )
        }
    }

    @Test("with flipped bytes gives a picture or an error, and never a crash", arguments: seeds)
    func flipped(name: String) throws {
        let file = try Fixtures.bytes(ofImage: name)
        var random = SeededGenerator(seed: 11)
        for _ in 0..<150 {
            var damaged = file
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                damaged[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let image = try? ImageDecoder.decode(damaged) {
                #expect(image.samples.count == image.width * image.height * 3)
            }
        }
    }

    @Test("that is empty or garbage is refused by name")
    func garbage() {
        expect(.truncated, [])
        expect(.unsupported, Array("hello, I am a picture".utf8))
        expect(.unsupported, Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8))
        expect(.unsupported, Array("%PDF-1.7".utf8))
        expect(.unsupported, [0x50, 0x4B, 3, 4, 0, 0])
        expect(.unsupported, Array("BM".utf8) + [UInt8](repeating: 0, count: 60))
        expect(.unsupported, [0, 0, 0, 0x1C] + Array("ftypavif".utf8))
        expect(.unsupported, [0, 0, 0, 0x1C] + Array("ftypheic".utf8))
        expect(.unsupported, [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0])
    }

    @Test("whose name lies is told by its bytes")
    func names() throws {
        #expect(try ImageDecoder.header(of: Fixtures.bytes(ofImage: "color.png")).format == .png)
        #expect(try ImageDecoder.header(of: Fixtures.bytes(ofImage: "lossy.webp")).format == .webp)
    }

    @Test("that claims more pixels than the limits allow is refused before any memory is taken")
    func bombs() throws {
        for (width, height) in [(65_535, 65_535), (16_385, 1), (1, 16_385), (8_000, 8_000)] {
            expect(.tooLarge, try png(width: width, height: height))
            expect(.tooLarge, try jpeg(width: width, height: height))
        }
        expect(.tooLarge, try png(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF))
        expect(.corrupt, try png(width: 0, height: 10))
        expect(.corrupt, try jpeg(width: 10, height: 0))
        var gif = try Fixtures.bytes(ofImage: "still.gif")
        gif.replaceSubrange(6..<10, with: [0xFF, 0xFF, 0xFF, 0xFF])
        expect(.tooLarge, gif)
    }

    @Test("of a byte more than the limit is refused, of exactly the limit is not")
    func fileSize() throws {
        var file = try Fixtures.bytes(ofImage: "color.png")
        file += [UInt8](repeating: 0, count: 20_000_000 - file.count)
        #expect(throws: Never.self) { try ImageDecoder.decode(file) }
        expect(.tooLarge, file + [0])
    }

    @Test("with hundreds of scans is refused")
    func scans() throws {
        let file = try Fixtures.bytes(ofImage: "progressive.jpg")
        let scan: [UInt8] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 5, 0x10, 0]
        expect(.tooLarge, file.dropLast(2) + [[UInt8]](repeating: scan, count: 200).joined())
    }

    @Test("of a JPEG process that is not read is refused by name")
    func processes() throws {
        for marker: UInt8 in [0xC3, 0xC5, 0xCB] {
            expect(.unsupported, try jpeg { $0[$1 - 1] = marker })
        }
        expect(.unsupported, try jpeg { $0[$1 + 2] = 12 })
    }

    @Test("with an EXIF block that makes no sense is read as upright")
    func exif() throws {
        let file = try Fixtures.bytes(ofImage: "orientation_6.jpg")
        let start = try #require(file.firstIndexOf(Array("Exif".utf8)))
        var random = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            var damaged = file
            damaged[start + 6 + Int.random(in: 0..<20, using: &random)] = UInt8.random(in: 0...255, using: &random)
            #expect(throws: Never.self) { try ImageDecoder.decode(damaged) }
        }
    }

    private func expect(_ code: ImageDecodingError.Code, _ file: some Collection<UInt8>) {
        let error = #expect(throws: ImageDecodingError.self) { try ImageDecoder.decode(Array(file)) }
        #expect(error?.code == code, "\(error?.description ?? "no error")")
    }

    private func png(width: Int, height: Int) throws -> [UInt8] {
        var file = try Fixtures.bytes(ofImage: "color.png")
        file.replaceSubrange(
            16..<24,
            with: [width, height].flatMap { side in
                [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: side >> $0) }
            }
        )
        return file
    }

    private func jpeg(width: Int, height: Int) throws -> [UInt8] {
        try jpeg { file, frame in
            file.replaceSubrange(
                (frame + 3)..<(frame + 7),
                with: [height, width].flatMap { side in
                    [8, 0].map { UInt8(truncatingIfNeeded: side >> $0) }
                }
            )
        }
    }

    /// A JPEG with its frame header changed; the position is the one behind the marker.
    private func jpeg(_ change: (inout [UInt8], Int) -> Void) throws -> [UInt8] {
        var file = try Fixtures.bytes(ofImage: "baseline.jpg")
        let frame = try #require(file.firstIndexOf([0xFF, 0xC0]))
        change(&file, frame + 2)
        return file
    }
}

extension [UInt8] {
    fileprivate func firstIndexOf(_ pattern: [UInt8]) -> Int? {
        indices.first { self[$0...].starts(with: pattern) }
    }
}
