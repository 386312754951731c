import Catalog
import Vectors

extension Catalog {
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
