import ArgumentParser
import EmbeddingModel
import ModelHub

/// `semblance model list`: what is there and what could be.
struct ModelListCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the models that are there and those that can be fetched."
    )

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "A file of settings, read instead of .env.local.")
    var envFile: String?

    /// One model.
    private struct Line: Encodable {
        let name: String
        let state: String
        let about: String
        let wanted: Bool
    }

    func execute() throws -> ExitStatus {
        let settings = try Settings(options: [:], environmentFile: envFile)
        let lines = lines(ModelStore(path: settings.models).models(), wanted: settings.model)
        guard !json else {
            Console.data(try lines.json())
            return .done
        }
        let width = lines.map(\.name.count).max() ?? 0
        for line in lines {
            let name = line.name + String(repeating: " ", count: width - line.name.count)
            let state = line.state + String(repeating: " ", count: max(10 - line.state.count, 0))
            Console.data("\(line.wanted ? "*" : " ") \(name)  \(state) \(line.about)")
        }
        return .done
    }

    private func lines(_ there: [ModelFolder], wanted: String) -> [Line] {
        var lines: [Line] = []
        for entry in CatalogueEntry.all where !there.contains(where: { $0.name == entry.name }) {
            let about = "\(entry.dimension) dimensions, \(entry.remark)"
            lines.append(Line(name: entry.name, state: "not here", about: about, wanted: entry.name == wanted))
        }
        for model in there {
            do throws(EmbeddingModelError) {
                let about = try model.summary() + (model.hasTokenizer ? ", pictures and words" : ", pictures only")
                lines.append(Line(name: model.name, state: "here", about: about, wanted: model.name == wanted))
            } catch {
                let about = error.description
                lines.append(Line(name: model.name, state: "damaged", about: about, wanted: model.name == wanted))
            }
        }
        return lines.sorted { $0.name < $1.name }
    }
}
