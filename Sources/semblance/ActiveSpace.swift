import Catalog
import Vectors

extension Catalog {
    /// Both databases, opened for reading.
    ///
    /// - Parameter index: Whether the index is looked into.
    init(reading settings: Settings, index: Bool = false) throws {
        self.init(
            main: try SQLiteMainDatabase(settings.address),
            vectors: try SQLiteVectorDatabase.existing(
                path: settings.vectorDatabase,
                extensionPath: index ? settings.sqliteVec : nil
            )
        )
        if index, settings.sqliteVec != nil, case .unavailable(let reason) = vectors?.indexExtension {
            Console.say("No index: \(reason). The answer is the same, found more slowly.")
        }
    }

    /// The space that answers come from, whichever model is wanted now.
    func activeSpace(_ settings: Settings) throws -> StoredSpace {
        guard let space = try vectors?.activeSpace() else {
            throw CommandError(
                .unavailable,
                "No image has an embedding of \(settings.model) yet; run semblance generate --all-users"
            )
        }
        if space.space.model != settings.model {
            Console.say("Answers come from \(space.space.model); \(settings.model) is not complete yet.")
        }
        return space
    }

    /// The space that the wanted model's vectors are gathered in: the active one where it is that model's, else the newest.
    func gatheringSpace(_ settings: Settings) throws -> StoredSpace? {
        let spaces = try vectors?.spaces().filter { $0.space.model == settings.model } ?? []
        return try spaces.first { try vectors?.activeSpace() == $0 } ?? spaces.max { $0.id < $1.id }
    }
}
