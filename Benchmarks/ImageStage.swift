import ArgumentParser
import Backfill
import CTurboJPEG
import EmbeddingModel
import Foundation
import ImageDecoding

/// The image stage (bytes → tensor) beside libjpeg-turbo's decode at the same scale, in processor time a picture.
struct ImageStage: ParsableCommand {
    @Argument(help: "JPEG files.")
    var files: [String]

    @Option(help: "Times that each file is decoded.")
    var repetitions = 20

    func run() throws {
        let preprocessing = Preprocessing.clip
        var whole: [Double] = []
        var decode: [Double] = []
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
            let scaled = try PlainDecode(bytes, shortSide: preprocessing.decodedShortSide)
            for _ in 0..<repetitions {
                decode.append(Self.processorTime { scaled.decode(bytes) })
                whole.append(
                    try Self.processorTime {
                        let image = try ImageDecoder.decode(bytes, shortSide: preprocessing.decodedShortSide)
                        _ = preprocessing.tensor(of: image)
                    }
                )
            }
        }
        let (ours, plain) = (Repetitions.median(whole), Repetitions.median(decode))
        let result = ["image_stage_ms": ours * 1000, "plain_decode_ms": plain * 1000, "ratio": ours / plain]
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }

    private static func processorTime(_ work: () throws -> Void) rethrows -> Double {
        let start = ProcessorTimes.ofThread
        try work()
        return ProcessorTimes.ofThread - start
    }
}

/// libjpeg-turbo's own decode, into memory that is there already.
private final class PlainDecode {
    private let handle: tjhandle
    private let width: Int32
    private let height: Int32
    private var pixels: [UInt8]

    init(_ bytes: [UInt8], shortSide: Int) throws {
        guard let handle = tjInitDecompress() else { throw ValidationError("no decoder") }
        self.handle = handle
        var (width, height) = (Int32(0), Int32(0))
        var (subsampling, colors) = (Int32(0), Int32(0))
        tjDecompressHeader3(handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &colors)
        let eighths = (1...8).first { (min(width, height) * Int32($0) + 7) / 8 >= shortSide } ?? 8
        self.width = (width * Int32(eighths) + 7) / 8
        self.height = (height * Int32(eighths) + 7) / 8
        pixels = [UInt8](repeating: 0, count: Int(self.width * self.height) * 3)
    }

    deinit { tjDestroy(handle) }

    func decode(_ bytes: [UInt8]) {
        let pitch = width * 3
        let format = Int32(TJPF_RGB.rawValue)
        tjDecompress2(handle, bytes, UInt(bytes.count), &pixels, width, pitch, height, format, TJFLAG_ACCURATEDCT)
    }
}
