import Foundation
package import SystemPackage

/// The committed fixtures, made by Scripts/golden, and what Scripts/setup fetched.
package enum Fixtures {
    /// The project's folder.
    package static let project = FilePath(#filePath)
        .removingLastComponent().removingLastComponent().removingLastComponent()

    private static let folder = project.appending("Tests/Fixtures")

    /// The folder of tiny models.
    package static let models = folder.appending("models")
    /// Pictures of all formats.
    package static let pictures = folder.appending("images")
    /// ONNX Runtime as set up.
    package static let onnxRuntime = project.appending(".deps/lib/libonnxruntime.so")
    /// sqlite-vec as set up.
    package static let sqliteVec = project.appending(".deps/lib/vec0.so")
    /// The models as set up.
    package static let installedModels = project.appending(".deps/models")

    /// The files of CLIP's tokenizer as set up.
    package static let tokenizer = project.appending(".deps/tokenizer")

    /// Texts with the token ids that transformers gives them.
    package static func referenceTokens() throws -> [(text: String, ids: [Int])] {
        let data = Data(try bytes(of: folder.appending("tokens.json")))
        return try JSONDecoder().decode([Pair<String, [Int]>].self, from: data).map { ($0.first, $0.second) }
    }

    /// model → token ids with the vectors that transformers computed for them.
    package static func referenceTextEmbeddings() throws -> [String: [(ids: [Int], vector: [Float])]] {
        let data = Data(try bytes(of: folder.appending("text_embeddings.json")))
        return try JSONDecoder().decode([String: [Pair<[Int], [Float]>]].self, from: data)
            .mapValues { $0.map { ($0.first, $0.second) } }
    }

    /// Two values that stand in a JSON array.
    private struct Pair<First: Decodable, Second: Decodable>: Decodable {
        let first: First
        let second: Second

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            first = try values.decode(First.self)
            second = try values.decode(Second.self)
        }
    }

    /// A picture's path.
    package static func image(_ name: String) -> FilePath { folder.appending("images").appending(name) }

    /// A picture's bytes.
    package static func bytes(ofImage name: String) throws -> [UInt8] { try bytes(of: image(name)) }

    /// A file's bytes.
    package static func bytes(of path: FilePath) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path.string)))
    }

    /// The pictures that the reference was asked about, by file name.
    package static func picturesWithReference() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending("images").string)
            .filter { $0.hasSuffix(".rgb") }.map { String($0.dropLast(4)) }.sorted()
    }

    /// model → picture → vector, as transformers computed them.
    package static func referenceEmbeddings() throws -> [String: [String: [Float]]] {
        let data = Data(try bytes(of: folder.appending("embeddings.json")))
        return try JSONDecoder().decode([String: [String: [Float]]].self, from: data)
    }

    /// What old releases of the bot stored under the name of a model.
    package static func fakeBlob() throws -> [UInt8] { try bytes(of: folder.appending("fake_384.blob")) }
}
