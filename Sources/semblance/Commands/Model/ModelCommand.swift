import ArgumentParser
import EmbeddingModel
import ModelHub
import SystemPackage

/// `semblance model`: the models on this machine.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "List, fetch, import, verify and remove models.",
        subcommands: [
            ModelListCommand.self, ModelPullCommand.self, ModelImportCommand.self, ModelVerifyCommand.self,
            ModelRemoveCommand.self,
        ]
    )
}

/// What the commands about one model share.
struct ModelOptions: ParsableArguments {
    @Argument(help: "The model's name.")
    var name: String

    @Option(help: "A file of settings, read instead of .env.local.")
    var envFile: String?

    func settings() throws -> Settings { try Settings(options: [:], environmentFile: envFile) }
}

/// `semblance model verify`: whether every file is as it was fetched or imported.
struct ModelVerifyCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a model's files against the digests of its manifest."
    )

    @OptionGroup var options: ModelOptions

    func execute() throws -> ExitStatus {
        let model = try ModelStore(path: options.settings().models).model(named: options.name)
        try model.check()
        guard let manifest = try model.manifest() else {
            Console.data("\(model.name): all tensors are there; there is no manifest to check the bytes against")
            return .done
        }
        try model.verify()
        Console.data("\(model.name): ok, \(manifest.files.count) files as they were fetched")
        return .done
    }
}

/// `semblance model remove`: gives back the disk space.
struct ModelRemoveCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a model's files. Its vectors stay."
    )

    @OptionGroup var options: ModelOptions

    func execute() throws -> ExitStatus {
        let store = ModelStore(path: try options.settings().models)
        let left = try store.removeModel(named: options.name)
        Console.data("\(options.name): removed")
        if !left.isEmpty {
            Console.say(
                "Left in \(store.path.appending(options.name)), being no files of a model: \(left.joined(separator: ", "))"
            )
        }
        return .done
    }
}

/// `semblance model import`: takes over a folder that somebody else fetched.
struct ModelImportCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Copy a folder with a CLIP model, as the Hugging Face hub publishes it."
    )

    @Argument(help: "The folder, with config.json and model.safetensors.", completion: .directory)
    var folder: String

    @Option(help: "The model's name; the folder's own where it is not given.")
    var name: String?

    @Option(help: "A file of settings, read instead of .env.local.")
    var envFile: String?

    func execute() throws -> ExitStatus {
        let settings = try Settings(options: [:], environmentFile: envFile)
        let path = settings.workingDirectory.pushing(.init(folder)).lexicallyNormalized()
        let name = name ?? path.lastComponent?.string ?? ""
        let model = try ModelStore(path: settings.models).importModel(path, as: name)
        Console.data("\(name): \(try model.summary()). To use it, set EMBEDDING_MODEL=\(name)")
        if !model.hasTokenizer { Console.say("It has no vocab.json or tokenizer.json: pictures only, no words.") }
        return .done
    }
}
