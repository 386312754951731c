import ArgumentParser
import Backfill
import Catalog
import Vectors

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
        let files = try settings.files
        let statistics = { (model: String, space: StoredSpace?) in
            try catalog.statistics(scope, model: model, space: space, salvages: salvage) { files.isReachable($0) }
        }
        let active = try catalog.vectors?.activeSpace()
        let model = active?.space.model ?? settings.model
        let gathering = try catalog.gatheringSpace(settings).flatMap { $0 == active ? nil : $0 }
        let report = StatisticsReport(
            statistics: try statistics(model, active),
            scope: scope,
            model: model,
            wanted: settings.model,
            gathered: try gathering.map { try statistics($0.space.model, $0) }
        )
        if json {
            Console.data(try report.json())
        } else {
            for line in report.lines { Console.data(line) }
        }
        return .done
    }
}
