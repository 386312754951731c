import ArgumentParser
import Backfill
import Catalog
import EmbeddingModel
import SystemPackage
import Vectors

/// `semblance space`: the embedding spaces, one of which answers.
struct SpaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "space",
        abstract: "List the embedding spaces, change the one that answers, remove others.",
        discussion: """
            Vectors can be compared only within a space: the same model, weights, precision and preprocessing. Answers come \
            from the active one. generate fills another one beside it and changes over when it is complete.
            """,
        subcommands: [List.self, Activate.self, Rollback.self, Purge.self]
    )

    /// `semblance space list`.
    struct List: SemblanceCommand {
        static let configuration = CommandConfiguration(abstract: "List the spaces; changes nothing.")

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var locations: LocationOptions

        /// One space, as JSON tells it.
        private struct Line: Encodable {
            let id: Int64
            let model: String
            let precision: String?
            let weights: String
            let dimension: Int
            let vectors: Int
            let active: Bool

            /// For people.
            var text: String {
                let state = active ? "active" : vectors == 0 ? "empty" : "beside it"
                let name = Console.oneLine(model) + (precision.map { ", \($0)" } ?? ", of weights that are not here")
                return
                    "\(id)  \(state): \(name), \(dimension) dimensions, \(vectors) vectors, weights \(weights.prefix(12))"
            }
        }

        func execute() throws -> ExitStatus {
            let settings = try locations.settings()
            let vectors = try settings.vectors()
            let active = try vectors?.activeSpace()
            let store = ModelStore(path: settings.models)
            let lines = try (vectors?.spaces() ?? []).map { stored in
                let folder = try? store.model(named: stored.space.model)
                return Line(
                    id: stored.id,
                    model: stored.space.model,
                    precision: try folder?.precision(of: stored.space)?.rawValue,
                    weights: stored.space.weightsDigest,
                    dimension: stored.space.dimension,
                    vectors: try vectors?.vectorCount(in: stored) ?? 0,
                    active: stored == active
                )
            }
            if json { Console.data(try lines.json()) } else { lines.map(\.text).forEach(Console.data) }
            if lines.isEmpty && !json { Console.data("There is no space yet; semblance generate makes one.") }
            return .done
        }
    }

    /// `semblance space activate`.
    struct Activate: SemblanceCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Let answers come from another space, complete or not, and bring its vectors to the bot's database."
        )

        @Argument(help: "The space's number, or its model's name where that has one space.")
        var space: String

        @OptionGroup var locations: LocationOptions

        func execute() throws -> ExitStatus {
            try SpaceSwitch(try locations.settings()).change { vectors in try vectors.space(named: space) }
        }
    }

    /// `semblance space rollback`.
    struct Rollback: SemblanceCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let answers come from the space that was active before, and bring its vectors back."
        )

        @OptionGroup var locations: LocationOptions

        func execute() throws -> ExitStatus {
            try SpaceSwitch(try locations.settings()).change { vectors in
                let others = try vectors.spaces().filter { $0.activation > 0 }.dropFirst()
                guard let previous = others.first else {
                    throw CommandError(
                        .usage,
                        "No other space was active before; semblance space list shows what there is"
                    )
                }
                return previous
            }
        }
    }

    /// `semblance space purge`.
    struct Purge: SemblanceCommand {
        static let configuration = CommandConfiguration(abstract: "Remove all vectors of a space that is not active.")

        @Argument(help: "The space's number, or its model's name where that has one space.")
        var space: String

        @OptionGroup var locations: LocationOptions

        func execute() throws -> ExitStatus {
            let settings = try locations.settings()
            let lock = try settings.lock()
            defer { lock?.release() }
            let vectors = try settings.vectorsForWriting()
            let chosen = try vectors.space(named: space)
            let count = try vectors.purge(chosen) { removed in
                if Console.isInteractive { Console.draw("\(removed) vectors removed") }
            }
            Console.data("Removed the \(count) vectors of space \(chosen.id), \(chosen.space.model).")
            return .done
        }
    }
}
