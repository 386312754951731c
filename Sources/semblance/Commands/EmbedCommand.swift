import ArgumentParser
import EmbeddingModel
import FoundationEssentials
import ImageDecoding
import SystemPackage
import Vectors

/// `semblance embed`: vectors of files or texts, without any database.
struct EmbedCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Print the vectors of pictures or texts, one JSON object a line.",
        discussion: """
            Answers come in the order of the questions; one that fails is answered with an error in its place, and \
            the exit status is 1. With --npy the vectors go into a NumPy file of float32, one row each; the row of one \
            that failed holds NaN.
            """
    )

    @Argument(help: "Pictures; - reads their names from standard input, one a line.")
    var files: [String] = []

    @Flag(help: "Embed the lines of standard input as texts.")
    var text = false

    @Option(help: "Write the vectors into this .npy file instead of printing them.")
    var npy: String?

    @OptionGroup var precision: PrecisionOption

    @Option(help: "A file of settings, read instead of .env.local.")
    var envFile: String?

    func validate() throws {
        guard text != !files.isEmpty else { throw ValidationError("Name pictures (or -), or give --text.") }
        guard files.count == 1 || !files.contains("-") else { throw ValidationError("- stands alone.") }
    }

    func execute() throws -> ExitStatus {
        let settings = try Settings(options: precision.settings, environmentFile: envFile)
        var output = EmbeddingOutput(npy: npy)
        if text {
            let encoder = try Engine.textEncoder(settings)
            try StandardInput.forEachLine { line in
                let text = String(decoding: line, as: UTF8.self)
                try output.write(.init(text: text, result: Result { try encoder.embed(text) }))
            }
        } else {
            let pictures = try PictureEmbedder(encoder: Engine.encoder(settings))
            if files == ["-"] {
                try StandardInput.forEachLine { try pictures.embed(FilePath(bytes: $0), into: &output) }
            } else {
                for file in files { try pictures.embed(FilePath(file), into: &output) }
            }
            try pictures.finish(into: &output)
        }
        return try output.finish() ? .someFailed : .done
    }
}

/// Embeds pictures a few at a time and hands the answers on in order.
private final class PictureEmbedder {
    private let encoder: ImageEncoder
    private var waiting: [(file: FilePath, tensor: Result<[Float], any Error>)] = []
    private static let batchSize = 16

    init(encoder: ImageEncoder) { self.encoder = encoder }

    func embed(_ file: FilePath, into output: inout EmbeddingOutput) throws {
        waiting.append((file, Result { try tensor(of: file) }))
        if waiting.count >= Self.batchSize { try finish(into: &output) }
    }

    /// Answers what is waiting.
    func finish(into output: inout EmbeddingOutput) throws {
        var embeddings = try encoder.embed(waiting.compactMap { try? $0.tensor.get() })[...]
        for (file, tensor) in waiting {
            let result = Result {
                _ = try tensor.get()
                guard let embedding = embeddings.popFirst() else { throw EmbeddingDefect.empty }
                return try embedding.get()
            }
            try output.write(.init(file: file.string, result: result))
        }
        waiting = []
    }

    private func tensor(of file: FilePath) throws -> [Float] {
        let shortSide = encoder.preprocessing.decodedShortSide
        return encoder.preprocessing.tensor(
            of: try ImageDecoder.decode(PictureFile.read(file), shortSide: shortSide)
        )
    }
}
