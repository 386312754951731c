import ArgumentParser
import Catalog
import EmbeddingModel
import Similarity
import Vectors

/// `semblance search`: what shows this.
struct SearchCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the images that show what words say.",
        discussion: """
            For a CLIP model, which places words and pictures in one space. Each hit is graded strong, likely or weak by \
            comparison with what words that no picture shows find in the same images; where the best is no better than \
            that, nothing is shown.
            """
    )

    @Argument(help: "The words, such as \"a dog on a beach\".")
    var words: String

    @Option(help: "The most images to find, 1 to \(SimilarityService.largestLimit).")
    var limit = SimilarityService.usualLimit

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard 1...SimilarityService.largestLimit ~= limit else {
            throw ValidationError("--limit takes 1 to \(SimilarityService.largestLimit).")
        }
        guard words.contains(where: { !$0.isWhitespace }) else { throw ValidationError("Give some words.") }
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let catalog = try Catalog(reading: settings, index: true)
        let space = try catalog.activeSpace(settings)
        let scope = try scope.scope(catalog)
        let encoder = try Engine.textEncoder(of: space.space, settings)
        let scale = try TextScale(
            background: try TextScale.texts.map { try encoder.embed($0) },
            StoredSearch(catalog, space: space, usesIndex: false),
            scope
        )
        let found = try SimilarityService(
            catalog,
            space: space,
            search: StoredSearch(catalog, space: space, usesIndex: true)
        ).searchByText(try encoder.embed(words), scale: scale, scope: scope, limit: limit)
        let report = SimilarReport(
            hits: found.map(\.hit),
            details: try found.map { try catalog.main.details(of: $0.hit.image) },
            model: space.space.model,
            threshold: scale.least(.weak),
            grades: found.map(\.grade)
        )
        if json { Console.data(try report.json()) } else { report.lines.forEach(Console.data) }
        return .done
    }
}
