import ArgumentParser
import Catalog
import FoundationEssentials
import SystemPackage

/// `semblance failures`: which images could not be embedded, and why.
struct FailuresCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "failures",
        abstract: "List the images that could not be embedded, with the reason.",
        discussion: """
            generate leaves them alone until their file changes (or, where a file could not be read, for some hours). \
            With --retry it tries those of a class again when it is run next.
            """
    )

    @Option(help: "Only this user's images (the Telegram id).")
    var userId: Int64?

    @Option(help: "Let the next generate try these again: \(Self.classes.joined(separator: ", ")) or all.")
    var retry: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var locations: LocationOptions

    private static let classes = FailureRecord.Class.allCases.map { name(of: $0) }

    private static func name(of kind: FailureRecord.Class) -> String {
        kind.rawValue.replacing(" ", with: "-")
    }

    func validate() throws {
        guard retry.map({ Self.classes.contains($0) || $0 == "all" }) ?? true else {
            throw ValidationError("--retry takes \(Self.classes.joined(separator: ", ")) or all.")
        }
        guard retry == nil || userId == nil else { throw ValidationError("--retry is for all users' images.") }
    }

    /// One failure, as JSON tells it.
    private struct Line: Encodable {
        let image_id: Int64
        let `class`: String
        let message: String
        let attempts: Int
        let path: String?
        let next_attempt: String?
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        if let retry { return try forget(retry, settings) }
        let catalog = try Catalog(reading: settings)
        var lines: [Line] = []
        let space = try catalog.gatheringSpace(settings)
        try catalog.survey(userId.map { .user($0) } ?? .allUsers, model: settings.model, space: space) { page in
            lines += page.filter(\.image.isCompleted).compactMap(line)
            return true
        }
        guard !json else {
            Console.data(try lines.json())
            return .done
        }
        for line in lines {
            let times = line.attempts == 1 ? "tried once" : "tried \(line.attempts) times"
            let next = line.next_attempt.map { ", again from \($0)" } ?? ""
            Console.data(Console.oneLine("image \(line.image_id): \(line.class), \(times)\(next)"))
            Console.data(Console.oneLine("        \(line.message)"))
            if let path = line.path { Console.data(Console.oneLine("        \(path)")) }
        }
        Console.data(
            lines.isEmpty ? "No failures are recorded." : "\(Counts.images(lines.count)) could not be embedded."
        )
        return .done
    }

    private func line(_ surveyed: Catalog.SurveyedImage) -> Line? {
        guard let failure = surveyed.failure, ![.embedded, .unpublished].contains(surveyed.condition) else {
            return nil
        }
        return Line(
            image_id: surveyed.image.id,
            class: failure.kind.rawValue,
            message: failure.message,
            attempts: failure.attempts,
            path: surveyed.image.paths.first?.string,
            next_attempt: failure.nextAttempt.map { Date(timeIntervalSince1970: $0).formatted(.iso8601) }
        )
    }

    private func forget(_ name: String, _ settings: Settings) throws -> ExitStatus {
        guard try settings.vectors() != nil else {
            Console.data("No failures are recorded.")
            return .done
        }
        let lock = try settings.lock()
        defer { lock?.release() }
        let vectors = try settings.vectorsForWriting()
        let kinds = FailureRecord.Class.allCases.filter { name == "all" || Self.name(of: $0) == name }
        let count = try vectors.forgetFailures(of: kinds, model: settings.model)
        Console.data("\(Counts.images(count)) will be tried again by the next semblance generate.")
        return .done
    }
}
