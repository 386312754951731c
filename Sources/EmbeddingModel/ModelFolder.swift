import Digests
import FoundationEssentials
package import SystemPackage
package import Vectors

/// A model on disk: a folder with `config.json` and `model.safetensors`, as a model hub publishes it.
///
/// Where a `semblance.json` lies beside them, its sizes and digests must hold before anything is loaded.
package struct ModelFolder: Sendable {
    /// The model's name, which is the folder's.
    package let name: String
    /// Where `config.json` is.
    package let path: FilePath

    /// The architectures that graphs are written for.
    enum Architecture {
        case clip(CLIPConfiguration)
        case efficientNetLite0

        /// The numbers in a vector.
        var dimension: Int {
            switch self {
            case .clip(let configuration): configuration.projection_dim
            case .efficientNetLite0: EfficientNetLiteGraph.dimension
            }
        }

        /// What the model can compute with.
        var precisions: [Precision] {
            switch self {
            case .clip: Precision.allCases
            case .efficientNetLite0: [.float32]
            }
        }
    }

    /// The weights file.
    var weights: FilePath { path.appending("model.safetensors") }

    /// What kind of model it is, by its configuration alone; the weights are not looked into.
    package func summary() throws(EmbeddingModelError) -> String {
        guard ModelStore.exists(weights) else {
            throw EmbeddingModelError(.missing, "\(path) has no model.safetensors; fetch the model again")
        }
        return switch try architecture() {
        case .clip(let configuration): "CLIP, \(configuration.projection_dim) dimensions"
        case .efficientNetLite0: "EfficientNet-Lite0, \(EfficientNetLiteGraph.dimension) dimensions"
        }
    }

    /// Reads `config.json`.
    func architecture() throws(EmbeddingModelError) -> Architecture {
        struct Kind: Decodable {
            let model_type: String
        }
        switch try read("config.json", as: Kind.self).model_type {
        case "clip": return .clip(try read("config.json", as: CLIPConfiguration.self))
        case "efficientnet-lite0": return .efficientNetLite0
        case let other:
            throw EmbeddingModelError(.damaged, "\(path)/config.json is of the model type \(other), which is not known")
        }
    }

    /// The preprocessing that the model was trained with.
    func preprocessing(of architecture: Architecture) throws(EmbeddingModelError) -> Preprocessing {
        switch architecture {
        case .efficientNetLite0:
            let side = EfficientNetLiteGraph.side
            let mean = [Float](repeating: 127.0 / 255, count: 3)
            let deviation = [Float](repeating: 128.0 / 255, count: 3)
            return Preprocessing(shortSide: side, crop: side, mean: mean, deviation: deviation)
        case .clip(let configuration):
            let side = configuration.vision_config.image_size
            let published = try publishedPreprocessing()
            let preprocessing = Preprocessing(
                shortSide: published?.size?.side ?? side,
                crop: published?.crop_size?.side ?? side,
                mean: published?.image_mean ?? Preprocessing.clip.mean,
                deviation: published?.image_std ?? Preprocessing.clip.deviation
            )
            guard preprocessing.crop == side, preprocessing.shortSide >= side, preprocessing.shortSide <= 4096,
                preprocessing.mean.count == 3, preprocessing.deviation.count == 3,
                preprocessing.deviation.allSatisfy({ $0 > 0 })
            else {
                throw EmbeddingModelError(.damaged, "\(path)/preprocessor_config.json does not fit config.json")
            }
            return preprocessing
        }
    }

    private func publishedPreprocessing() throws(EmbeddingModelError) -> PreprocessorConfiguration? {
        guard ModelStore.exists(path.appending("preprocessor_config.json")) else { return nil }
        return try read("preprocessor_config.json", as: PreprocessorConfiguration.self)
    }

    /// What vectors of a space are computed with; `nil` where other weights than those here made them.
    package func precision(of space: EmbeddingSpace) throws(EmbeddingModelError) -> Precision? {
        var digest = try manifest()?.files[weights.lastComponent?.string ?? ""]?.sha256
        if digest == nil { digest = try ModelManifest.describe(weights).sha256 }
        guard let digest else { return nil }
        return Precision.allCases.first { $0.weightsDigest(digest) == space.weightsDigest }
    }

    /// The manifest; `nil` where the folder has none.
    package func manifest() throws(EmbeddingModelError) -> ModelManifest? {
        guard ModelStore.exists(path.appending(ModelManifest.fileName)) else { return nil }
        return try read(ModelManifest.fileName, as: ModelManifest.self)
    }

    /// Checks the files against the manifest, where there is one.
    ///
    /// - Parameter weightsDigest: The digest of the weights as they are mapped, so that they are read only once.
    /// - Throws: `.damaged` or `.missing`, naming the first file that is not as it should be.
    package func verify(weightsDigest: String? = nil) throws(EmbeddingModelError) {
        guard let manifest = try manifest() else { return }
        for (name, expected) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let actual: String
            if name == weights.lastComponent?.string, let weightsDigest {
                actual = weightsDigest
            } else {
                actual = try ModelManifest.describe(path.appending(name)).sha256
            }
            guard actual == expected.sha256 else {
                throw EmbeddingModelError(
                    .damaged,
                    "\(path)/\(name) has the SHA-256 \(actual), but semblance.json says \(expected.sha256); "
                        + "fetch the model again"
                )
            }
        }
    }

    private func read<Value: Decodable>(_ file: String, as type: Value.Type) throws(EmbeddingModelError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: try contents(of: file))
        } catch let error as EmbeddingModelError {
            throw error
        } catch {
            throw EmbeddingModelError(.damaged, "\(path)/\(file) is not what it should be: \(Self.reason(error))")
        }
    }

    private func contents(of file: String) throws(EmbeddingModelError) -> Data {
        let path = path.appending(file)
        do {
            return try Data(contentsOf: URL(filePath: path.string))
        } catch {
            throw EmbeddingModelError(.missing, "\(path) cannot be read")
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "it cannot be read" }
        return switch error {
        case .keyNotFound(let key, _): "\"\(key.stringValue)\" is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.codingPath.last.map { "\"\($0.stringValue)\": " } ?? "") + context.debugDescription
        @unknown default: "it cannot be read"
        }
    }
}
