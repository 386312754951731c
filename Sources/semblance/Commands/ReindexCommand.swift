import ArgumentParser
import Catalog

/// `semblance reindex`: makes the index anew.
struct ReindexCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Make the index of the active space anew, while searches go on.",
        discussion: "Until it is whole again, searches look at the vectors themselves: slower, with the same answers."
    )

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let lock = try settings.lock()
        defer { lock?.release() }
        let vectors = try settings.vectorsForWriting()
        if case .unavailable(let reason) = vectors.indexExtension {
            throw CommandError(.unavailable, "There can be no index: \(reason)")
        }
        guard let space = try vectors.activeSpace() else {
            throw CommandError(.unavailable, "No image has an embedding yet; run semblance generate --all-users")
        }
        let total = try vectors.vectorCount(in: space)
        try vectors.rebuildIndex(of: space) { added in
            let line = "\(added) of \(total) vectors indexed"
            Console.isInteractive ? Console.draw(line) : Console.say(line)
        }
        Console.data("The index of \(Counts.images(total)) is whole.")
        return .done
    }
}
