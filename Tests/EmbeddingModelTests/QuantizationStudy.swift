import Foundation
import Inference
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import EmbeddingModel

/// What int8 costs: on random weights in each test run, on trained ones by `make int8`, which lays them out in a folder.
@Suite("What int8 does to vectors", .serialized)
struct QuantizationStudy {
    @Test("is small: cosine, neighbours, precision and overlap beside float32's")
    func study() throws {
        guard let folder = ProcessInfo.processInfo.environment["SEMBLANCE_INT8_STUDY"] else {
            return try withTemporaryFolder { folder in
                let target = folder.appending("tiny-clip")
                let fixture = Fixtures.models.appending("tiny-clip").string
                try FileManager.default.copyItem(atPath: fixture, toPath: target.string)
                var random = SeededGenerator(seed: 8)
                let cosines = try compare(target) { length in
                    (0..<20).map { _ in (0..<length).map { _ in Float.random(in: -2...2, using: &random) } }
                }.cosines
                #expect(cosines.count == 20)
                #expect(cosines.allSatisfy { $0 > 0.999 && $0 < 1 })
            }
        }
        try report(FilePath(folder))
    }

    /// Vectors in float32 and in int8.
    private struct Comparison {
        var vectors: [[Embedding]] = [[], []]
        var seconds = [0.0, 0.0]
        var cosines: [Float] { zip(vectors[0], vectors[1]).map { $0.cosine(to: $1) } }
    }

    /// - Parameter pictures: Embedded patches, `[T, W]` each; asked for with T · W.
    private func compare(_ folder: FilePath, pictures: (Int) throws -> [[Float]]) throws -> Comparison {
        let model = ModelFolder(name: "study", path: folder)
        guard case .clip(let configuration) = try model.architecture() else { return Comparison() }
        let vision = configuration.vision_config
        let (tokens, width) = (vision.patches * vision.patches + 1, vision.layers.hidden_size)
        let source = try Checkpoint(model.weights)
        let small = try QuantizedCheckpoint.open(in: folder, from: source, digest: source.digest, configuration)
        let sessions = try [source, small].map { checkpoint in
            var tower = CLIPLayers(
                graph: ONNXGraph(checkpoint, input: "tokens", shape: [nil, tokens, width]),
                configuration: vision.layers,
                prefix: "vision_model.",
                sequences: (count: -1, length: tokens),
                answer: .first
            )
            let rows = tower.graph.node("Reshape", [tower.graph.input, tower.graph.constant([-1, width])])
            tower.graph.finish(try tower.apply(to: rows, isLean: true))
            let library = try ImageEncoderTests.library.get()
            return try tower.graph.session(of: "study", library: library, dimension: width, threads: 1)
        }
        var comparison = Comparison()
        for picture in try pictures(tokens * width) {
            for index in sessions.indices {
                let start = ContinuousClock.now
                let output = try sessions[index].run(
                    picture,
                    shape: [1, tokens, width],
                    inputName: "tokens",
                    outputName: "embedding"
                ) { Array($0) }
                comparison.seconds[index] += (ContinuousClock.now - start) / .seconds(1)
                comparison.vectors[index].append(try Embedding(normalizing: output))
            }
        }
        return comparison
    }

    private func report(_ folder: FilePath) throws {
        let labels = try String(contentsOfFile: folder.appending("labels.txt").string, encoding: .utf8)
            .split(separator: "\n")
        let comparison = try compare(folder) { length in
            try Fixtures.bytes(of: folder.appending("tokens.f32")).withUnsafeBytes { bytes in
                let numbers = bytes.bindMemory(to: Float.self)
                return (0..<(numbers.count / length)).map { Array(numbers[($0 * length)..<(($0 + 1) * length)]) }
            }
        }
        let (vectors, seconds) = (comparison.vectors, comparison.seconds)
        let cosines = comparison.cosines
        let (whole, quantized) = (Neighbours(vectors[0]), Neighbours(vectors[1]))
        let mean = cosines.reduce(0, +) / Float(cosines.count)
        let overlap = whole.overlap(with: quantized, count: 10)
        print("int8: \(cosines.count) pictures, cosine \(mean) on average, \(cosines.min() ?? 0) at worst")
        print("int8: 1-NN \(quantized.precision(labels, 1)), float32 \(whole.precision(labels, 1))")
        print("int8: precision at 5 \(quantized.precision(labels, 5)), float32 \(whole.precision(labels, 5))")
        print("int8: top-10 overlap \(overlap), \(seconds[0] / seconds[1]) times as fast as float32")
        #expect(mean >= 0.999 && overlap >= 0.92)
        #expect(quantized.precision(labels, 1) >= whole.precision(labels, 1) - 0.01)
        #expect(quantized.precision(labels, 5) >= whole.precision(labels, 5) - 0.01)
    }

    /// The other pictures of each picture, nearest first.
    private struct Neighbours {
        let order: [[Int]]

        init(_ vectors: [Embedding]) {
            order = vectors.indices.map { index in
                let scores = vectors.map { $0.cosine(to: vectors[index]) }
                return vectors.indices.filter { $0 != index }.sorted { scores[$0] > scores[$1] }
            }
        }

        /// The share of the nearest few that have the picture's own label.
        func precision(_ labels: [Substring], _ count: Int) -> Double {
            let hits = order.indices.map { index in order[index].prefix(count).count { labels[$0] == labels[index] } }
            return Double(hits.reduce(0, +)) / Double(order.count * count)
        }

        func overlap(with other: Neighbours, count: Int) -> Double {
            let shared = zip(order, other.order).map { Set($0.prefix(count)).intersection($1.prefix(count)).count }
            return Double(shared.reduce(0, +)) / Double(order.count * count)
        }
    }
}
