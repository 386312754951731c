import Catalog
import Vectors

extension Catalog {
    /// Both databases, opened for reading.
    init(reading settings: Settings) throws {
        self.init(main: try MainDatabase(settings.address), vectors: try .existing(path: settings.vectorDatabase))
    }

    /// The space that answers come from: the one that the wanted model's vectors were last stored in.
    func activeSpace(_ settings: Settings) throws -> VectorDatabase.StoredSpace {
        guard let space = try vectors?.activeSpace(model: settings.model) else {
            throw CommandError(
                .unavailable,
                "No image has an embedding of \(settings.model) yet; run semblance generate --all-users"
            )
        }
        return space
    }
}
