import ArgumentParser
import Catalog
import Similarity
import SystemPackage

/// `semblance duplicates`: pictures that are there more than once.
struct DuplicatesCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates",
        abstract: "Group the pictures that are there more than once, or nearly; delete nothing.",
        discussion: """
            Three kinds, kept apart, the largest groups first: files with the same bytes; copies of one picture, re-encoded, \
            resized or cut a little; different pictures of a similar subject (cosine of --threshold or more to the group's \
            first one). Of what was found as one kind, one picture takes part in the next. Each group says what deleting all \
            but its largest file would free.
            """
    )

    @Option(help: "identical, copies or similar; may be given several times. All unless given.")
    var kind: [Sameness] = []

    @Option(parsing: .unconditional, help: "The least cosine of similar pictures, -1 to 1.")
    var threshold = SimilarityService.usualClusterThreshold

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var scope: ScopeOptions
    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard -1...1 ~= threshold else { throw ValidationError("--threshold takes a number from -1 to 1.") }
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let catalog = try Catalog(reading: settings)
        let service = SimilarityService(catalog, space: try catalog.activeSpace(settings))
        let groups = try service.findDuplicates(
            scope: try scope.scope(catalog),
            kinds: Set(kind.isEmpty ? Sameness.allCases : kind),
            threshold: threshold
        ) { done, total in
            if Console.isInteractive { Console.draw("\(done) of \(total) pictures compared") }
        }
        let report = DuplicatesReport(groups: groups, kinds: kind.isEmpty ? Sameness.allCases : kind)
        if json { Console.data(try report.json()) } else { report.lines.forEach(Console.data) }
        return .done
    }
}

extension Sameness: ExpressibleByArgument {
    /// The name on the command line.
    init?(argument: String) {
        guard let kind = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = kind
    }

    /// The name for programs.
    var name: String { "\(self)" }

    static var allValueStrings: [String] { allCases.map(\.name) }
}
