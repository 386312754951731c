import ImageDecoding
import TestSupport
import Testing

@testable import EmbeddingModel

@Suite("The resampler")
struct ResamplerTests {
    private static func picture(_ width: Int, _ height: Int) -> PixelImage {
        var random = SeededGenerator(seed: UInt64(width * 10_007 + height))
        let samples = (0..<(width * height * 3)).map { _ in UInt8.random(in: 0...255, using: &random) }
        return PixelImage(width: width, height: height, samples: samples)
    }

    @Test(
        "gives the same bytes with the loops for AVX2 as with the plain ones",
        arguments: [
            (1, 1), (1, 300), (300, 1), (2, 2), (3, 5), (64, 64), (65, 64), (64, 65), (97, 211), (640, 480), (480, 641),
            (1000, 70),
        ]
    )
    func loops(width: Int, height: Int) {
        let image = Self.picture(width, height)
        for side in [1, 7, 32, 64] {
            let plain = Resampler(usesAVX2: false).squareCrop(of: image, shortSide: side, crop: side)
            #expect(Resampler.best.squareCrop(of: image, shortSide: side, crop: side) == plain)
        }
    }

    @Test("keeps a picture of one colour as it is", arguments: [(5, 9), (300, 200), (2000, 31)])
    func constant(width: Int, height: Int) {
        for value: UInt8 in [0, 1, 127, 254, 255] {
            let samples = [UInt8](repeating: value, count: width * height * 3)
            let image = PixelImage(width: width, height: height, samples: samples)
            let resized = Resampler.best.squareCrop(of: image, shortSide: 31, crop: 31)
            #expect(resized == [UInt8](repeating: value, count: 31 * 31 * 3))
        }
    }
}
