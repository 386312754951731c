import Foundation
import Inference
import SystemPackage
import TestSupport
import Testing
import Vectors

@testable import EmbeddingModel

@Suite("A text encoder", .serialized)
struct TextEncoderTests {
    private func encoder(_ name: String, tokenizer: Tokenizer? = nil) throws -> TextEncoder {
        try TextEncoder(
            ModelStore(path: Fixtures.models).model(named: name),
            tokenizer: tokenizer,
            library: ImageEncoderTests.library.get(),
            threads: 2
        )
    }

    @Test(
        "gives the vectors of transformers' CLIPTextModelWithProjection",
        arguments: ["tiny-clip", "tiny-clip-half", "tiny-clip-gelu"]
    )
    func reference(model: String) throws {
        let encoder = try encoder(model)
        let references = try #require(try Fixtures.referenceTextEmbeddings()[model])
        #expect(references.count == 5)
        for (ids, expected) in references {
            let embedding = try encoder.embed(tokens: ids)
            let differences = zip(embedding.components, expected).map { abs($0 - $1) }
            #expect((differences.max() ?? 1) < 1e-5, "\(ids.count) tokens")
        }
    }

    @Test("computes in its last layer only what reaches the end token, with the full graph's result")
    func leanGraph() throws {
        let folder = try ModelStore(path: Fixtures.models).model(named: "tiny-clip")
        guard case .clip(let configuration) = try folder.architecture() else { return }
        let checkpoint = try Checkpoint(folder.weights)
        let rows = try TokenTable(configuration.text_config, checkpoint).rows(of: [62, 5, 6, 7, 63])
        let outputs = try [true, false].map { (isLean: Bool) -> Embedding in
            let graph = try CLIPTextGraph.build(configuration, checkpoint, isLean: isLean)
            let library = try ImageEncoderTests.library.get()
            let session = try graph.session(of: "tiny-clip", library: library, dimension: 512, threads: 1)
            let output = try session.run(rows, shape: [1, 5, 32], inputName: "tokens", outputName: "embedding") {
                Array($0)
            }
            return try Embedding(normalizing: output)
        }
        let differences = zip(outputs[0].components, outputs[1].components).map { abs($0 - $1) }
        #expect((differences.max() ?? 1) < 1e-5)
    }

    @Test("is in the space of its model's pictures")
    func space() throws {
        let folder = try ModelStore(path: Fixtures.models).model(named: "tiny-clip")
        let images = try ImageEncoder(folder, library: ImageEncoderTests.library.get(), threads: 1)
        #expect(try encoder("tiny-clip").space == images.space)
    }

    @Test("is in the space of the pictures at either precision, and gives the same vectors")
    func precision() throws {
        try withTemporaryFolder { store in
            let path = store.appending("tiny-clip")
            let fixture = Fixtures.models.appending("tiny-clip").string
            try FileManager.default.copyItem(atPath: fixture, toPath: path.string)
            let folder = try ModelStore(path: store).model(named: "tiny-clip")
            let library = try ImageEncoderTests.library.get()
            let encoders = try Precision.allCases.map { precision in
                let text = try TextEncoder(folder, precision: precision, tokenizer: nil, library: library, threads: 1)
                let images = try ImageEncoder(folder, precision: precision, library: library, threads: 1)
                #expect(text.space == images.space)
                return text
            }
            #expect(encoders[0].space != encoders[1].space)
            let tokens = [62, 5, 6, 7, 63]
            #expect(try encoders[0].embed(tokens: tokens) == encoders[1].embed(tokens: tokens))
        }
    }

    @Test("says so where the tokenizer does not fit the model, or the model has no text tower")
    func mismatch() throws {
        let tokenizer = try Tokenizer(TokenVocabulary(folder: Fixtures.tokenizer))
        let fit = try encoder("tiny-clip", tokenizer: tokenizer)
        let error = #expect(throws: EmbeddingModelError.self) { try fit.embed("a photo of a cat") }
        #expect(error?.code == .damaged)
        let none = #expect(throws: EmbeddingModelError.self) {
            try TextEncoder(
                ModelStore(path: Fixtures.installedModels).model(named: "efficientnet-lite0"),
                tokenizer: tokenizer,
                library: ImageEncoderTests.library.get(),
                threads: 1
            )
        }
        #expect(none?.description.contains("no text tower") == true)
    }
}
