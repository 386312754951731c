import EmbeddingModel
import ImageDecoding
import TestSupport
import Testing

@Suite("A decoded picture")
struct DecodingTests {
    /// Formats whose decoders may round differently from Pillow's by a level here and there.
    @Test(
        "equals Pillow's, resized and cropped, within 1/255 on average",
        arguments: try Fixtures.picturesWithReference()
    )
    func pillow(name: String) throws {
        let image = try ImageDecoder.decode(try Fixtures.bytes(ofImage: name))
        let ours = try resized(image, to: 32)
        let theirs = try Fixtures.bytes(ofImage: name + ".rgb")
        #expect(ours.count == theirs.count)
        let differences = zip(ours, theirs).map { abs(Int($0) - Int($1)) }
        let mean = Double(differences.reduce(0, +)) / Double(differences.count)
        #expect(mean <= 1, "the mean difference is \(mean), the largest \(differences.max() ?? 0)")
    }

    @Test(
        "of a lossless format equals Pillow's exactly",
        arguments: ["color.png", "alpha.png", "palette.png", "grey.png", "sixteen_bit_color.png"]
    )
    func lossless(name: String) throws {
        let image = try ImageDecoder.decode(try Fixtures.bytes(ofImage: name))
        #expect(try resized(image, to: 32) == Fixtures.bytes(ofImage: name + ".rgb"))
    }

    @Test("is upright whatever its EXIF orientation", arguments: 2...8)
    func orientation(value: Int) throws {
        let upright = try ImageDecoder.decode(try Fixtures.bytes(ofImage: "orientation_1.jpg"))
        let turned = try ImageDecoder.decode(try Fixtures.bytes(ofImage: "orientation_\(value).jpg"))
        #expect(turned.width == upright.width && turned.height == upright.height)
        let differences = zip(upright.samples, turned.samples).map { abs(Int($0) - Int($1)) }
        #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 2)
    }

    @Test("of a large JPEG is decoded small, and stays as large as was asked for")
    func reduced() throws {
        let file = try Fixtures.bytes(ofImage: "large.jpg")
        let image = try ImageDecoder.decode(file, shortSide: 100)
        #expect((100..<500).contains(image.height))
        #expect(try ImageDecoder.decode(file, shortSide: 5000).height == 500)
    }

    @Test("of a JPEG in YCCK has the colours of its inks")
    func inks() throws {
        let image = try ImageDecoder.decode(JPEGWriter.ink(200, 100, 50, 180))
        for (sample, expected) in zip(image.samples.prefix(3), [141, 71, 35]) {
            #expect(abs(Int(sample) - expected) <= 3, "\(image.samples.prefix(3))")
        }
    }

    @Test("of one pixel, one line, one colour is decoded", arguments: ["pixel.png", "line.png", "flat.png"])
    func extremes(name: String) throws {
        let image = try ImageDecoder.decode(try Fixtures.bytes(ofImage: name))
        #expect(image.samples.count == image.width * image.height * 3)
        #expect(try resized(image, to: 32).count == 32 * 32 * 3)
    }

    private func resized(_ image: PixelImage, to side: Int) throws -> [UInt8] {
        Preprocessing.squareCrop(of: image, side: side)
    }
}
