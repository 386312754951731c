import EmbeddingModel
import Synchronization
import Vectors

/// The models that a program which stays has loaded, each once: questions and the backfill share them.
///
/// A call of the model runs on one thread.
final class LoadedModels: Sendable {
    private let settings: Settings
    private let encoders = Mutex<[ImageEncoder]>([])
    /// The active space's model, and the wanted one while the library changes over.
    private static let capacity = 2

    init(_ settings: Settings) { self.settings = settings }

    /// The model that made a space.
    func encoder(of space: EmbeddingSpace) throws -> ImageEncoder {
        try encoder(where: { $0.space == space }) { try Engine.encoder(of: space, settings, threads: 1) }
    }

    /// The model that the settings want.
    func wanted() throws -> ImageEncoder {
        let model = try ModelStore(path: settings.models).model(named: settings.model)
        return try encoder { encoder in
            try encoder.space.model == model.name && model.precision(of: encoder.space) == settings.precision
        } or: {
            try Engine.encoder(settings, threads: 1)
        }
    }

    private func encoder(
        where isRight: (ImageEncoder) throws -> Bool,
        or load: () throws -> ImageEncoder
    ) throws -> ImageEncoder {
        try encoders.withLock { encoders in
            if let found = try encoders.first(where: isRight) { return found }
            let new = try load()
            encoders = [new] + encoders.filter { $0.space != new.space }.prefix(Self.capacity - 1)
            return new
        }
    }
}
