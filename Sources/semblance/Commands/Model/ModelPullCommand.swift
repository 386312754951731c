import ArgumentParser
import EmbeddingModel
import ModelHub
import Synchronization
import SystemPackage

/// `semblance model pull`: fetches a model of the catalogue.
struct ModelPullCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch a model from the Hugging Face hub.",
        discussion: """
            What was interrupted goes on where it ended when the command is run again. Files that are good are kept, \
            and where all are, nothing is asked of the network. HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured.
            """
    )

    @OptionGroup var options: ModelOptions

    @Option(help: "A branch, tag or commit of the model's repository.")
    var revision = "main"

    func validate() throws {
        let allowed = revision.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._/".contains($0)) }
        guard !revision.isEmpty, allowed, !revision.contains("..") else {
            throw ValidationError("--revision takes a branch, a tag or a commit.")
        }
    }

    func execute() throws -> ExitStatus {
        let settings = try options.settings()
        let store = ModelStore(path: settings.models)
        guard let entry = CatalogueEntry.named(options.name) else {
            let names = CatalogueEntry.all.map(\.name).joined(separator: ", ")
            throw CommandError(
                .usage,
                "The catalogue has no model \(options.name); it has \(names). Import any other CLIP folder with model import"
            )
        }
        guard !ModelPull.isComplete(entry.name, in: store) else {
            Console.data("\(entry.name): all files are here and good")
            return .done
        }
        guard !settings.isOffline else {
            throw CommandError(
                .unavailable,
                "\(entry.name) is not complete here, and HF_HUB_OFFLINE forbids to fetch it"
            )
        }
        let endpoint = settings.value(of: .hubEndpoint)?.text ?? ""
        let token = settings.value(of: .hubToken)?.text
        let revision = revision
        let line = TransferLine()
        try Waiting.for {
            try await Hub.connected(to: endpoint, token: token) { hub in
                try await ModelPull(entry, into: store, from: hub, revision: revision).run { line.show($0) }
            }
        }
        Console.data("\(entry.name): fetched into \(store.path.appending(entry.name))")
        return .done
    }
}

/// How a download goes: redrawn on a terminal, a line every ten seconds elsewhere.
private final class TransferLine: Sendable {
    private struct State {
        var file = ""
        var start = ContinuousClock.now
        var first = 0
        var shown = ContinuousClock.now
    }

    private let state = Mutex(State())

    func show(_ step: ModelPull.Step) {
        switch step {
        case .kept(let file): Console.say("\(file): here and good")
        case .fetched(let file): Console.say("\(file): fetched")
        case .transfer(let transfer):
            guard let line = line(transfer) else { return }
            Console.isInteractive ? Console.draw(line) : Console.say(line)
        }
    }

    private func line(_ transfer: Transfer) -> String? {
        let now = ContinuousClock.now
        let rate: Double? = state.withLock { state in
            if state.file != transfer.name {
                state = State(file: transfer.name, start: now, first: transfer.done, shown: now)
                return nil
            }
            guard now - state.shown >= (Console.isInteractive ? .milliseconds(100) : .seconds(10)) else { return nil }
            state.shown = now
            return Double(transfer.done - state.first) / ((now - state.start) / .seconds(1))
        }
        guard let rate, rate > 0 else { return nil }
        let left = Counts.duration(Double(transfer.total - transfer.done) / rate)
        return "\(transfer.name): \(Counts.megabytes(transfer.done)) of \(Counts.megabytes(transfer.total)) MB, "
            + "\(Counts.decimal(rate / 1e6)) MB/s, \(left) left"
    }
}
