package import ImageDecoding

/// How pixels become a model's input: short side resized, centre cropped, scaled and shifted per channel.
package struct Preprocessing: Sendable, Equatable {
    /// Counts up whenever the same file would give other numbers; part of every vector's identity.
    package static let version = 1

    /// The pixels that the short side is resized to.
    let shortSide: Int
    /// The pixels along each side of the square that is cut from the middle.
    let crop: Int
    /// Subtracted from a sample of 0…1, per channel.
    let mean: [Float]
    /// Divides what remains, per channel.
    let deviation: [Float]

    /// That of OpenAI's CLIP models of 224 pixels.
    package static let clip = Preprocessing(
        shortSide: 224,
        crop: 224,
        mean: [0.48145466, 0.4578275, 0.40821073],
        deviation: [0.26862954, 0.26130258, 0.27577711]
    )

    /// Turns a picture into planar red, green, blue numbers, `[3, crop, crop]`.
    package func tensor(of image: PixelImage) -> [Float] {
        let samples = Resampler.best.squareCrop(of: image, shortSide: shortSide, crop: crop)
        let plane = crop * crop
        return [Float](unsafeUninitializedCapacity: 3 * plane) { output, count in
            samples.withUnsafeBufferPointer { samples in
                for channel in 0..<3 {
                    let numbers = (0...255).map { (Float($0) / 255 - mean[channel]) / deviation[channel] }
                    numbers.withUnsafeBufferPointer { numbers in
                        for position in 0..<plane {
                            output[channel * plane + position] = numbers[Int(samples[position * 3 + channel])]
                        }
                    }
                }
            }
            count = 3 * plane
        }
    }

    /// The square that remains of a picture: short side resized to `side`, the middle cut out; `side · side · 3` samples.
    package static func squareCrop(of image: PixelImage, side: Int) -> [UInt8] {
        Resampler.best.squareCrop(of: image, shortSide: side, crop: side)
    }

    /// A picture whose longer side has at most so many pixels; a smaller one as it is.
    package static func fitted(_ image: PixelImage, longSide: Int) -> PixelImage {
        let long = max(image.width, image.height)
        guard long > longSide else { return image }
        let width = max(image.width * longSide / long, 1)
        let height = max(image.height * longSide / long, 1)
        return PixelImage(
            width: width,
            height: height,
            samples: Resampler.best.resized(image, width: width, height: height)
        )
    }

    /// The short side that a decoder should keep: twice the model's, so that a reduced decode costs no sharpness.
    package var decodedShortSide: Int { shortSide * 2 }
}

/// A published `preprocessor_config.json`; sizes stand there as a number or as an object.
struct PreprocessorConfiguration: Decodable {
    let size: Size?
    let crop_size: Size?
    let image_mean: [Float]?
    let image_std: [Float]?

    /// A side in pixels.
    struct Size: Decodable {
        let side: Int

        private struct Sides: Decodable {
            let shortest_edge: Int?
            let height: Int?
        }

        init(from decoder: any Decoder) throws {
            if let side = try? decoder.singleValueContainer().decode(Int.self) {
                self.side = side
                return
            }
            let sides = try Sides(from: decoder)
            guard let side = sides.shortest_edge ?? sides.height else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no side"))
            }
            self.side = side
        }
    }
}
