import Foundation
import ImageDecoding
import Inference
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import EmbeddingModel

/// The engine runs one test at a time: it uses all cores by itself.
@Suite("An image encoder", .serialized)
struct ImageEncoderTests {
    static let library = Result { try InferenceLibrary(paths: [Fixtures.onnxRuntime.string]) }

    private func encoder(_ name: String, in store: FilePath = Fixtures.models) throws -> ImageEncoder {
        try ImageEncoder(ModelStore(path: store).model(named: name), library: Self.library.get(), threads: 2)
    }

    private func tensor(_ picture: String, for encoder: ImageEncoder) throws -> [Float] {
        encoder.preprocessing.tensor(of: try ImageDecoder.decode(Fixtures.bytes(ofImage: picture)))
    }

    @Test(
        "gives the vectors of transformers' CLIPVisionModelWithProjection",
        arguments: ["tiny-clip", "tiny-clip-half", "tiny-clip-gelu"]
    )
    func reference(model: String) throws {
        let encoder = try encoder(model)
        let references = try #require(try Fixtures.referenceEmbeddings()[model])
        #expect(references.count == 6)
        for (picture, expected) in references {
            let embedding = try #require(try encoder.embed([tensor(picture, for: encoder)]).first).get()
            let differences = zip(embedding.components, expected).map { abs($0 - $1) }
            #expect((differences.max() ?? 1) < 1e-5, "\(picture)")
        }
    }

    @Test("gives bit for bit the same vector at every batch size", arguments: ["tiny-clip", "efficientnet-lite0"])
    func batchSize(model: String) throws {
        let encoder = try encoder(model, in: model == "tiny-clip" ? Fixtures.models : Fixtures.installedModels)
        let tensors = try (0..<32).map { try tensor("photo_\($0 % 10).jpg", for: encoder) }
        let together = try encoder.embed(tensors).map { try $0.get() }
        for size in [1, 2, 7, 31] {
            for start in stride(from: 0, to: 32, by: size) {
                let range = start..<min(start + size, 32)
                let part = try encoder.embed(Array(tensors[range])).map { try $0.get() }
                #expect(part == Array(together[range]), "batch of \(size)")
            }
        }
    }

    @Test("gives pictures that differ different vectors, and the same picture the same one")
    func distinct() throws {
        let encoder = try encoder("efficientnet-lite0", in: Fixtures.installedModels)
        let first = try encoder.embed([tensor("photo_1.jpg", for: encoder)])[0].get()
        let again = try encoder.embed([tensor("photo_1.jpg", for: encoder)])[0].get()
        let other = try encoder.embed([tensor("flat.png", for: encoder)])[0].get()
        #expect(first == again)
        #expect(first.cosine(to: other) < 0.99)
        #expect(first.dimension == 1280)
    }

    @Test("gives the eight orientations of a picture the same vector", arguments: 2...8)
    func orientation(value: Int) throws {
        let encoder = try encoder("efficientnet-lite0", in: Fixtures.installedModels)
        let upright = try encoder.embed([tensor("orientation_1.jpg", for: encoder)])[0].get()
        let turned = try encoder.embed([tensor("orientation_\(value).jpg", for: encoder)])[0].get()
        #expect(upright.cosine(to: turned) > 0.999)
    }

    @Test("computes in its last layer only what reaches the class token, with the full graph's result")
    func leanGraph() throws {
        for name in ["tiny-clip", "tiny-clip-gelu"] {
            let folder = try ModelStore(path: Fixtures.models).model(named: name)
            guard case .clip(let configuration) = try folder.architecture() else { continue }
            let checkpoint = try Checkpoint(folder.weights)
            let tensor = try tensor("photo_3.jpg", for: encoder(name))
            let outputs = try [true, false].map { (isLean: Bool) -> Embedding in
                let graph = try CLIPVisionGraph.build(configuration, checkpoint, isLean: isLean)
                let session = try graph.session(of: name, library: Self.library.get(), dimension: 512, threads: 2)
                let shape = [1, 3, 64, 64]
                let output = try session.run(tensor, shape: shape, inputName: "pixels", outputName: "embedding") {
                    Array($0)
                }
                return try Embedding(normalizing: output)
            }
            let differences = zip(outputs[0].components, outputs[1].components).map { abs($0 - $1) }
            #expect((differences.max() ?? 1) < 1e-5)
        }
    }

    @Test("has a space that names the weights")
    func space() throws {
        let whole = try encoder("tiny-clip").space
        let half = try encoder("tiny-clip-half").space
        #expect(whole.model == "tiny-clip" && whole.dimension == 512 && whole.weightsDigest.count == 64)
        #expect(whole.weightsDigest != half.weightsDigest)
    }

    @Test("charges numbers that are not finite to the picture that has them")
    func notFinite() throws {
        let encoder = try encoder("tiny-clip")
        var bad = try tensor("photo_1.jpg", for: encoder)
        let good = bad
        bad[5] = .nan
        let results = try encoder.embed([good, bad, good])
        #expect(results[0] == results[2])
        #expect(throws: Never.self) { try results[0].get() }
        #expect(throws: EmbeddingDefect.notFinite) { try results[1].get() }
    }
}

@Suite("A model folder", .serialized)
struct ModelFolderTests {
    @Test("that is not there is named, with what is there instead")
    func missing() throws {
        let error = #expect(throws: EmbeddingModelError.self) {
            try ModelStore(path: Fixtures.models).model(named: "clip-ViT-B-32")
        }
        #expect(error?.code == .missing)
        let text = error?.description ?? ""
        #expect(text.contains(Fixtures.models.appending("clip-ViT-B-32").string))
        #expect(text.contains("semblance model pull clip-ViT-B-32") && text.contains("EMBEDDING_MODEL=tiny-clip"))
        #expect(throws: EmbeddingModelError.self) { try ModelStore(path: Fixtures.models).model(named: "../models") }
    }

    @Test("whose weights are cut off anywhere is refused", arguments: [0, 4, 8, 100, 5000, 100_000, 300_000, 652_000])
    func truncated(length: Int) throws {
        try expectDamage { try self.rewrite($0, "model.safetensors") { Array($0.prefix(length)) } }
    }

    @Test("whose weights' header is changed anywhere is refused or loads what it says", arguments: 1...64)
    func flipped(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try withCopy { store in
            try rewrite(store, "model.safetensors") { bytes in
                var bytes = bytes
                bytes[Int.random(in: 0..<4000, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
                return bytes
            }
            do {
                _ = try self.load(store)
            } catch let error as EmbeddingModelError {
                #expect(error.code == .damaged || error.code == .engine)
            }
        }
    }

    @Test("with a manifest is refused after any flipped byte", arguments: [0, 9, 5000, 652_000])
    func manifest(position: Int) throws {
        try withCopy { store in
            let folder = store.appending("model")
            let digest = try ImageEncoder(
                ModelStore(path: store).model(named: "model"),
                library: ImageEncoderTests.library.get(),
                threads: 1
            ).space.weightsDigest
            let manifest = #"{"files": {"model.safetensors": {"size": 0, "sha256": "\#(digest)"}}}"#
            try manifest.write(toFile: folder.appending("semblance.json").string, atomically: true, encoding: .utf8)
            #expect(throws: Never.self) { try self.load(store) }
            try rewrite(store, "model.safetensors") { bytes in
                var bytes = bytes
                bytes[position] ^= 1
                return bytes
            }
            let error = #expect(throws: EmbeddingModelError.self) { try self.load(store) }
            #expect(error?.code == .damaged)
        }
    }

    @Test("whose weights are not numbers fails its self-test")
    func notANumber() throws {
        try expectDamage { store in
            try self.rewrite(store, "model.safetensors") { bytes in
                bytes.prefix(bytes.count - 400_000) + [UInt8](repeating: 0xFF, count: 400_000)
            }
        }
    }

    @Test(
        "whose configuration is wrong is refused with a sentence",
        arguments: [
            "", "{", "[]", #"{"model_type": "bert"}"#, #"{"model_type": "clip"}"#,
            #"{"model_type": "clip", "vision_config": {"hidden_size": "wide"}}"#,
            #"{"model_type": "clip", "vision_config": {"hidden_size": 0}}"#,
            #"{"model_type": "clip", "vision_config": {"hidden_act": "relu"}}"#,
            #"{"model_type": "clip", "projection_dim": 384, "vision_config": {"hidden_size": 64}}"#,
            #"{"model_type": "clip", "vision_config": {"image_size": 9223372036854775807}}"#,
            #"{"model_type": "clip", "vision_config": {}}"#,
            #"{"model_type": "clip", "vision_config": {}, "text_config": {}}"#,
        ]
    )
    func configuration(text: String) throws {
        try expectDamage { try self.rewrite($0, "config.json") { _ in Array(text.utf8) } }
    }

    @Test("whose preprocessing does not fit is refused")
    func preprocessing() throws {
        for text in ["{", #"{"crop_size": 32}"#, #"{"image_std": [0, 0, 0]}"#, #"{"size": {"longest": 3}}"#] {
            try expectDamage { try self.rewrite($0, "preprocessor_config.json") { _ in Array(text.utf8) } }
        }
    }

    private func expectDamage(_ change: (FilePath) throws -> Void) throws {
        try withCopy { store in
            try change(store)
            let error = #expect(throws: EmbeddingModelError.self) { try self.load(store) }
            #expect(error?.code == .damaged, "\(error?.description ?? "no error")")
        }
    }

    private func load(_ store: FilePath) throws -> ImageEncoder {
        try ImageEncoder(
            ModelStore(path: store).model(named: "model"),
            library: ImageEncoderTests.library.get(),
            threads: 1
        )
    }

    private func withCopy(_ body: (FilePath) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(
                atPath: Fixtures.models.appending("tiny-clip").string,
                toPath: folder.appending("model").string
            )
            try body(folder)
        }
    }

    private func rewrite(_ store: FilePath, _ file: String, _ change: ([UInt8]) -> [UInt8]) throws {
        let path = store.appending("model").appending(file)
        try Data(change(try Fixtures.bytes(of: path))).write(to: URL(filePath: path.string))
    }
}

@Suite("The engine's library")
struct InferenceLibraryTests {
    @Test("that is not there is named with all places that were looked at")
    func missing() {
        let error = #expect(throws: InferenceError.self) {
            try InferenceLibrary(paths: ["/nowhere/a.so", "/nowhere/b.so"])
        }
        #expect(error?.code == .library)
        #expect(error?.description.contains("/nowhere/a.so, /nowhere/b.so") == true)
    }

    @Test("that is another library or no library is refused")
    func wrong() {
        for path in [Fixtures.sqliteVec.string, Fixtures.image("color.png").string] {
            let error = #expect(throws: InferenceError.self) { try InferenceLibrary(paths: [path]) }
            #expect(error?.code == .library)
        }
    }
}
