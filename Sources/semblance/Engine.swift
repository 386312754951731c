import EmbeddingModel
import Inference
import SystemPackage

/// Loads the engine and the model that the settings name.
enum Engine {
    /// Opens ONNX Runtime.
    static func library(_ settings: Settings) throws -> InferenceLibrary {
        let candidates = Installation.libraryFolders.map { $0.appending("libonnxruntime.so").string }
        return try InferenceLibrary(paths: settings.onnxRuntime.map { [$0.string] } ?? candidates)
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
