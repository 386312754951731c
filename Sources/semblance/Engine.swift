import EmbeddingModel
import Inference
import SystemPackage
import Vectors

/// Loads the engine and the model that the settings name.
enum Engine {
    /// Opens ONNX Runtime.
    static func library(_ settings: Settings) throws -> InferenceLibrary {
        let candidates = Installation.libraryFolders.map { $0.appending("libonnxruntime.so").string }
        return try InferenceLibrary(paths: settings.onnxRuntime.map { [$0.string] } ?? candidates)
    }

    /// Loads the text tower of the model that made a space.
    static func textEncoder(of space: EmbeddingSpace, _ settings: Settings) throws -> TextEncoder {
        let (model, precision) = try maker(of: space, settings)
        return try TextEncoder(model, precision: precision, library: library(settings), threads: settings.threads)
    }

    /// Loads the model that made a space, whatever the settings want, so that its vectors can be compared with others.
    ///
    /// - Parameter threads: The threads of one call; `nil` for all that the settings allow.
    static func encoder(of space: EmbeddingSpace, _ settings: Settings, threads: Int? = nil) throws -> ImageEncoder {
        let (model, precision) = try maker(of: space, settings)
        return try ImageEncoder(
            model,
            precision: precision,
            library: library(settings),
            threads: threads ?? settings.threads
        )
    }

    private static func maker(of space: EmbeddingSpace, _ settings: Settings) throws -> (ModelFolder, Precision) {
        let model = try ModelStore(path: settings.models).model(named: space.model)
        guard let precision = try model.precision(of: space), space.preprocessingVersion == Preprocessing.version else {
            throw EmbeddingModelError(
                .missing,
                "The library's vectors were made by other weights of \(space.model) than those here; run semblance "
                    + "generate --all-users"
            )
        }
        return (model, precision)
    }

    /// Loads the wanted model's text tower.
    static func textEncoder(_ settings: Settings) throws -> TextEncoder {
        let model = try ModelStore(path: settings.models).model(named: settings.model)
        return try TextEncoder(
            model,
            precision: settings.precision,
            library: library(settings),
            threads: settings.threads
        )
    }

    /// Loads the wanted model; a missing model is named before a missing engine.
    ///
    /// - Parameter threads: The threads of one call; `nil` for all that the settings allow.
    static func encoder(_ settings: Settings, threads: Int? = nil) throws -> ImageEncoder {
        let model = try ModelStore(path: settings.models).model(named: settings.model)
        return try ImageEncoder(
            model,
            precision: settings.precision,
            library: library(settings),
            threads: threads ?? settings.threads
        )
    }
}
