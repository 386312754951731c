import ArgumentParser
import Catalog
import FoundationEssentials
import SystemPackage
import Vectors

/// `semblance export`: the vectors, for other programs.
struct ExportCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the vectors with their images' ids into a .npz or .jsonl file.",
        discussion: """
            A .npz file holds ids (int64), vectors (float32, one row each) and space (JSON: model, weights, \
            preprocessing, dimension); numpy.load reads it. A .jsonl file has an object a line. Only images that are still \
            there, with the vector that stands in both databases, are written.
            """
    )

    @Argument(help: "The file, ending in .npz or .jsonl; it is replaced when the new one is complete.")
    var file: String

    @Option(help: "Only this user's images (the Telegram id).")
    var userId: Int64?

    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard file.hasSuffix(".npz") || file.hasSuffix(".jsonl") else {
            throw ValidationError("The file's name must end in .npz or .jsonl.")
        }
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let catalog = try Catalog(reading: settings)
        let space = try catalog.activeSpace(settings)
        let scope = userId.map { Scope.user($0) } ?? .allUsers
        let export = try VectorExport(catalog, space: space, scope)
        let target = settings.workingDirectory.pushing(FilePath(file))
        let count = try AtomicFile.write(target) { descriptor in
            try file.hasSuffix(".npz") ? export.writeArchive(descriptor) : export.writeLines(descriptor)
        }
        Console.data("\(file): \(Counts.images(count)) of \(space.space.model), \(space.space.dimension) dimensions")
        return .done
    }
}
