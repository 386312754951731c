import ImageDecoding

/// Two pictures that every model must tell apart: a colour gradient and a black-and-white chequerboard.
enum BuiltInPictures {
    static let all = [gradient, chequerboard]

    private static let side = 64

    private static let gradient = picture { x, y in [UInt8(x * 4), UInt8(y * 4), UInt8(255 - x * 4)] }

    private static let chequerboard = picture { x, y in
        [UInt8](repeating: (x / 8 + y / 8) % 2 == 0 ? 0 : 255, count: 3)
    }

    private static func picture(_ color: (Int, Int) -> [UInt8]) -> PixelImage {
        let samples = (0..<(side * side)).flatMap { color($0 % side, $0 / side) }
        return PixelImage(width: side, height: side, samples: samples)
    }
}
