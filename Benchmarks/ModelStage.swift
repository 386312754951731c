import ArgumentParser
import EmbeddingModel
import Foundation
import ImageDecoding
import Inference
import SystemPackage

/// The model alone on pictures that are prepared already: the ceiling of the whole pipeline, in images a second.
struct ModelStage: ParsableCommand {
    @OptionGroup var model: ModelOptions

    @Option(help: "Seconds to measure.")
    var seconds = 5.0

    func run() throws {
        let encoder = try ImageEncoder(
            model.folder(),
            precision: model.precision == "int8" ? .int8 : .float32,
            library: model.library(),
            threads: 1
        )
        let side = encoder.preprocessing.decodedShortSide / 2
        let samples = (0..<(side * side * 3)).map { UInt8(truncatingIfNeeded: $0 &* 7919 &+ $0 / 977) }
        let tensor = encoder.preprocessing.tensor(of: PixelImage(width: side, height: side, samples: samples))
        let call = Array(repeating: tensor, count: encoder.callSize)
        let threads = model.threads
        _ = try encoder.embed(call)
        let counts = Counts(threads)
        let end = ContinuousClock.now + .seconds(seconds)
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            while ContinuousClock.now < end, (try? encoder.embed(call)) != nil { counts.add(call.count, of: thread) }
        }
        let rate = Double(counts.total) / ((ContinuousClock.now - start) / .seconds(1))
        print(String(decoding: try JSONEncoder().encode(["images_per_second": rate]), as: UTF8.self))
    }
}

/// What each thread has done.
///
/// - Note: `@unchecked Sendable` because each thread changes an element of its own.
private final class Counts: @unchecked Sendable {
    private let counts: UnsafeMutableBufferPointer<Int>

    init(_ count: Int) {
        counts = .allocate(capacity: count)
        counts.initialize(repeating: 0)
    }

    deinit { counts.deallocate() }

    func add(_ count: Int, of thread: Int) { counts[thread] += count }

    var total: Int { counts.reduce(0, +) }
}

/// Which model is measured, and with what.
struct ModelOptions: ParsableArguments {
    @Argument(help: "The model's folder.")
    var path: String

    @Option(help: "float32 or int8.")
    var precision = "float32"

    @Option(help: "Threads.")
    var threads = 2

    @Option(help: "The engine.")
    var onnxRuntime = ".deps/lib/libonnxruntime.so"

    func folder() throws -> ModelFolder {
        let path = FilePath(path)
        return try ModelStore(path: path.removingLastComponent()).model(named: path.lastComponent?.string ?? "")
    }

    func library() throws -> InferenceLibrary { try InferenceLibrary(paths: [onnxRuntime]) }
}
