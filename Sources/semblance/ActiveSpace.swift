import Catalog
import Vectors

extension Catalog {
    /// Both databases, opened for reading.
    ///
    /// - Parameter index: Whether the index is looked into.
    init(reading settings: Settings, index: Bool = false) throws {
        self.init(
            main: try MainDatabase(settings.address),
            vectors: try .existing(
                path: settings.vectorDatabase,
                extensionPath: index ? settings.sqliteVec : nil
            )
        )
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
