import ArgumentParser
import Catalog
import EmbeddingModel
import Inference
import SystemPackage
import Vectors

/// `semblance doctor`: every setting with its source, and whether everything needed is there; changes nothing.
struct DoctorCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show every setting with its source, and what is there and what is not."
    )

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        Console.data("Settings")
        for key in Settings.Key.allCases { Console.data("  " + line(for: key, settings)) }
        Console.data("Checks")
        var checks = [
            Check("SQLite", sqlite), Check("ONNX Runtime") { try onnxRuntime(settings) },
            Check("int8") { try int8(settings) }, Check("main database") { try mainDatabase(settings) },
            Check("vector database") { try vectorDatabase(settings) },
            Check("model \(settings.model)") { try model(settings) },
        ]
        let failure = checks.compactMap(\.failure).first
        for model in ModelStore(path: settings.models).models() where model.name != settings.model {
            checks.append(Check("other model \(model.name)") { try model.summary() })
        }
        for check in checks { Console.data("  " + check.line) }
        return failure.map { ExitStatus($0) } ?? .done
    }

    /// One thing that must be in order.
    private struct Check {
        let line: String
        let failure: (any Error)?

        init(_ name: String, _ find: () throws -> String) {
            do {
                line = "\(name): ok, \(try find())"
                failure = nil
            } catch {
                line = "\(name): \(error)"
                failure = error
            }
        }
    }

    private func line(for key: Settings.Key, _ settings: Settings) -> String {
        guard let value = settings.value(of: key) else { return "\(key.rawValue): not set" }
        let text = key.isSecret ? "***" : Secrets.masked(value.text)
        return "\(key.rawValue): \(text) (\(value.source))"
    }

    private func sqlite() throws -> String { SQLiteLibrary.description }

    private func onnxRuntime(_ settings: Settings) throws -> String {
        "version \(try Engine.library(settings).version)"
    }

    private func int8(_ settings: Settings) throws -> String {
        let gain = Counts.decimal(try QuantizationGain.measure(Engine.library(settings)))
        let advice = settings.precision == .int8 ? "in use for CLIP" : "EMBEDDING_PRECISION=int8 uses it for CLIP"
        return "\(gain) times as fast as float32 in a layer's matrix product on this processor; \(advice)"
    }

    private func mainDatabase(_ settings: Settings) throws -> String {
        if let server = try settings.server() {
            let main = try PostgresMainDatabase(server)
            return "\(main.name), \(try server.state()), \(try counts(main))"
        }
        let main = try SQLiteMainDatabase(settings.address)
        return "\(main.path), journal mode \(try main.journalMode()), \(try counts(main))"
    }

    private func counts(_ main: any MainDatabase) throws -> String {
        try ["users", "chats", "images"].map { table in
            try main.count(table).map { "\($0) \(table)" } ?? "no table \(table)"
        }.joined(separator: ", ")
    }

    private func vectorDatabase(_ settings: Settings) throws -> String {
        let server = try settings.server()
        guard let vectors = try settings.vectors(index: true) else {
            guard server == nil else { return "it has no tables of Semblance yet; semblance init makes them" }
            return "\(try settings.vectorDatabase) is not there yet; generate makes it"
        }
        let active = try vectors.activeSpace()
        let spaces = try vectors.spaces().map { stored in
            let state = "\(stored.space.weightsDigest.prefix(8))\(stored == active ? ", active" : "")"
            return "\(try vectors.vectorCount(in: stored)) vectors of \(stored.space.model) (\(state))"
        }
        let index =
            switch vectors.indexExtension {
            case .loaded(let version): "\(server == nil ? "sqlite-vec" : "pgvector") \(version)"
            case .unavailable(let reason): "no index (\(reason))"
            }
        return "\(vectors.name), \((spaces + [index]).joined(separator: ", "))"
    }

    private func model(_ settings: Settings) throws -> String {
        let encoder = try Engine.encoder(settings)
        return
            "\(encoder.space.dimension) dimensions, \(encoder.precision.rawValue), weights \(encoder.space.weightsDigest.prefix(8)), self-test passed"
    }
}
