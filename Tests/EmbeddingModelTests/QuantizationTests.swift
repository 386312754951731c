import Foundation
import ImageDecoding
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import EmbeddingModel

@Suite("An int8 encoder", .serialized)
struct QuantizationTests {
    /// A folder of its own with the tiny CLIP, beside which the int8 weights come to lie.
    private func withModel(_ body: (ModelFolder) throws -> Void) throws {
        try withTemporaryFolder { store in
            let target = store.appending("tiny-clip").string
            try FileManager.default.copyItem(atPath: Fixtures.models.appending("tiny-clip").string, toPath: target)
            try body(ModelStore(path: store).model(named: "tiny-clip"))
        }
    }

    private func encoder(_ model: ModelFolder, _ precision: Precision = .int8) throws -> ImageEncoder {
        try ImageEncoder(model, precision: precision, library: ImageEncoderTests.library.get(), threads: 2)
    }

    private func tensors(for encoder: ImageEncoder) throws -> [[Float]] {
        try (0..<10).map {
            encoder.preprocessing.tensor(of: try ImageDecoder.decode(Fixtures.bytes(ofImage: "photo_\($0).jpg")))
        }
    }

    private func file(_ model: ModelFolder) -> FilePath { model.path.appending(QuantizedCheckpoint.fileName) }

    @Test("gives vectors close to float32's, in a space of their own")
    func closeness() throws {
        try withModel { model in
            let (whole, small) = (try encoder(model, .float32), try encoder(model))
            #expect(small.precision == .int8 && small.space != whole.space)
            #expect(small.space.weightsDigest.count == 64)
            let tensors = try tensors(for: whole)
            for (left, right) in zip(try whole.embed(tensors), try small.embed(tensors)) {
                let cosine = try left.get().cosine(to: try right.get())
                #expect(cosine > 0.999 && cosine < 1)
            }
        }
    }

    @Test("gives a picture bit for bit the same vector whatever its neighbours are")
    func neighbours() throws {
        try withModel { model in
            let encoder = try encoder(model)
            let tensors = try tensors(for: encoder)
            let together = try encoder.embed(tensors).map { try $0.get() }
            for (tensor, expected) in zip(tensors, together) {
                #expect(try encoder.embed([tensor])[0].get() == expected)
            }
            let bright = tensors[0].map { $0 * 50 }
            #expect(try encoder.embed([bright, tensors[1]])[1].get() == together[1])
        }
    }

    @Test("makes its weights once, and anew where they are torn, flipped, or of other weights")
    func cache() throws {
        try withModel { model in
            let tensors = try tensors(for: encoder(model))
            let expected = try encoder(model).embed(tensors).map { try $0.get() }
            let good = try Fixtures.bytes(of: file(model))
            let date = try modificationDate(of: file(model))
            _ = try encoder(model)
            #expect(try modificationDate(of: file(model)) == date)
            let flipped = good.indices.map { $0 == good.count - 100 ? good[$0] ^ 1 : good[$0] }
            for damaged in [Array(good.prefix(good.count / 2)), [], flipped, Array("{}".utf8)] {
                try Data(damaged).write(to: URL(filePath: file(model).string))
                #expect(try encoder(model).embed(tensors).map { try $0.get() } == expected)
                #expect(try Fixtures.bytes(of: file(model)) == good)
            }
            let other = try Fixtures.bytes(of: Fixtures.models.appending("tiny-clip-gelu/model.safetensors"))
            try Data(other).write(to: URL(filePath: model.path.appending("model.safetensors").string))
            #expect(try encoder(model).embed(tensors).map { try $0.get() } != expected)
            #expect(try Fixtures.bytes(of: file(model)) != good)
            let names = try FileManager.default.contentsOfDirectory(atPath: model.path.string)
            #expect(!names.contains { $0.hasSuffix(".part") })
        }
    }

    @Test("works from memory where the model's folder cannot be written")
    func readOnlyFolder() throws {
        try withModel { model in
            let tensors = try tensors(for: encoder(model))
            let expected = try encoder(model).embed(tensors).map { try $0.get() }
            try FileManager.default.removeItem(atPath: file(model).string)
            let blocked = FilePath("\(file(model)).\(getpid()).part").string
            try FileManager.default.createDirectory(atPath: blocked, withIntermediateDirectories: false)
            #expect(try encoder(model).embed(tensors).map { try $0.get() } == expected)
            #expect(!FileManager.default.fileExists(atPath: file(model).string))
        }
    }

    @Test("is no int8 encoder for a model without that form")
    func withoutForm() throws {
        let folder = try ModelStore(path: Fixtures.installedModels).model(named: "efficientnet-lite0")
        let encoder = try encoder(folder)
        #expect(encoder.precision == .float32)
        #expect(try encoder.space == self.encoder(folder, .float32).space)
    }

    private func modificationDate(of path: FilePath) throws -> Date? {
        try FileManager.default.attributesOfItem(atPath: path.string)[.modificationDate] as? Date
    }
}

@Suite("Quantised weights")
struct LinearQuantizationTests {
    @Test("are within half a step of the weights in every channel, and exact at zero")
    func error() throws {
        var random = SeededGenerator(seed: 5)
        var file = SafetensorsFile()
        let (outputs, inputs) = (7, 33)
        let values = (0..<(outputs * inputs)).map { index in
            index / inputs == 3 ? 0 : Float.random(in: -1...1, using: &random) * Float(1 + index / inputs * 10)
        }
        file.add("w", shape: [outputs, inputs], floats: values)
        let checkpoint = try Checkpoint(MappedFile(holding: file.pieces(metadata: [:])), named: "memory")
        let quantized = LinearQuantization(try checkpoint.tensor("w", shape: [outputs, inputs]))
        for output in 0..<outputs {
            for input in 0..<inputs {
                let restored = Float(quantized.numbers[input * outputs + output]) * quantized.scales[output]
                #expect(abs(restored - values[output * inputs + input]) <= quantized.scales[output] * 0.5001)
            }
            for input in stride(from: 0, to: inputs - 1, by: 2) {
                let pair = [input, input + 1].map { abs(Int(quantized.numbers[$0 * outputs + output])) }
                #expect(pair.reduce(0, +) <= 128 && pair.allSatisfy { $0 <= 127 })
            }
        }
    }

    @Test("are smoothed by powers of two, which change no product")
    func smoothing() throws {
        var file = SafetensorsFile()
        file.add("w", shape: [2, 4], floats: [1, 0.01, 0, 3, -2, 0.02, 0, 3])
        let checkpoint = try Checkpoint(MappedFile(holding: file.pieces(metadata: [:])), named: "memory")
        let weights = try checkpoint.tensor("w", shape: [2, 4])
        let factors = NormSmoothing(scale: [1, 50, 1, 0], shift: [0, 0, 1, 0], weights: [weights]).factors
        #expect(factors == [1, 64, 1, 1])
    }
}
