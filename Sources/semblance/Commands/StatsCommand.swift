import ArgumentParser
import Backfill
import Catalog

/// `semblance stats`: how far the images are embedded; changes nothing.
struct StatsCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Say how many images have a real embedding, and what is wrong with the others."
    )

    @Option(help: "Only this user's images (the Telegram id).")
    var userId: Int64?

    @Flag(help: "Count what can be read of a damaged database.")
    var salvage = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let scope = userId.map { Scope.user($0) } ?? .allUsers
        let catalog = try Catalog(reading: settings)
        let files = SourceFiles(root: try settings.root)
        let isReachable = { (image: ImageRecord) in files.canOpen(image) }
        let report = StatisticsReport(
            statistics: try catalog.statistics(
                scope,
                model: settings.model,
                salvages: salvage,
                isReachable: isReachable
            ),
            scope: scope,
            model: settings.model
        )
        if json {
            Console.data(try report.json())
        } else {
            for line in report.lines { Console.data(line) }
        }
        return .done
    }
}
