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
        struct Entry: Decodable {
            let text: String
            let ids: [Int]

            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                text = try values.decode(String.self)
                ids = try values.decode([Int].self)
            }
        }
        let data = Data(try bytes(of: folder.appending("tokens.json")))
        return try JSONDecoder().decode([Entry].self, from: data).map { ($0.text, $0.ids) }
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
