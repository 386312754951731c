import ArgumentParser
import EmbeddingModel
import Foundation
import Inference

/// Text → vector with everything warm, in milliseconds a text.
struct TextStage: ParsableCommand {
    @OptionGroup var model: ModelOptions

    func run() throws {
        let encoder = try TextEncoder(model.folder(), library: model.library(), threads: model.threads)
        let texts = [
            "a red car", "two dogs on a beach", "a photograph of an old town in the evening light, seen from a hill",
        ]
        var times: [Double] = []
        for repetition in 0..<40 {
            let start = ContinuousClock.now
            _ = try encoder.embed(texts[repetition % texts.count])
            if repetition >= texts.count { times.append((ContinuousClock.now - start) / .milliseconds(1)) }
        }
        let result = ["text_ms": Repetitions.median(times), "text_ms_worst": times.max() ?? .nan]
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
}
