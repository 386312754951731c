import Foundation
package import SystemPackage

extension ModelStore {
    /// The files that a model folder may hold, with those that it must.
    private static let publishedFiles = [
        "config.json", "model.safetensors", "preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer.json",
    ]

    /// Copies a published folder into the store, after a check that it is a model that can be used.
    ///
    /// The copy gets its name when it is complete; a folder that is there already is never touched.
    ///
    /// - Throws: `.usage` where the name is impossible or taken, `.missing` or `.damaged` for what the folder lacks.
    package func importModel(_ folder: FilePath, as name: String) throws(EmbeddingModelError) -> ModelFolder {
        try Self.checkName(name)
        let target = path.appending(name)
        guard !Self.exists(target) else {
            throw EmbeddingModelError(.usage, "\(target) is there already; choose another --name, or remove it first")
        }
        let source = ModelStore(path: folder.removingLastComponent())
        let model = try source.model(named: folder.lastComponent?.string ?? "")
        try model.check()
        let scratch = path.appending(".\(name).\(getpid()).import")
        defer { try? FileManager.default.removeItem(atPath: scratch.string) }
        var manifest = ModelManifest(source: folder.string, files: [:])
        do {
            try FileManager.default.createDirectory(atPath: scratch.string, withIntermediateDirectories: true)
            for file in Self.publishedFiles where Self.exists(model.path.appending(file)) {
                let copy = scratch.appending(file)
                try FileManager.default.copyItem(atPath: model.path.appending(file).string, toPath: copy.string)
                manifest.files[file] = try ModelManifest.describe(copy)
            }
            let list = scratch.appending(ModelManifest.fileName)
            try manifest.data.write(to: URL(filePath: list.string))
            try FileManager.default.moveItem(atPath: scratch.string, toPath: target.string)
        } catch let error as EmbeddingModelError {
            throw error
        } catch {
            throw EmbeddingModelError(.cannotWrite, "\(target) cannot be written; nothing was imported")
        }
        return try self.model(named: name)
    }

    /// Removes a model's files.
    ///
    /// - Returns: The names of files that are not a model's and stay, with the folder.
    package func removeModel(named name: String) throws(EmbeddingModelError) -> [String] {
        try Self.checkName(name)
        let folder = path.appending(name)
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder.string) else {
            throw EmbeddingModelError(.missing, "There is no model \(name) in \(path)")
        }
        let own = Set(Self.publishedFiles + [ModelManifest.fileName, QuantizedCheckpoint.fileName])
        let foreign = files.filter { !own.contains($0) && !$0.hasSuffix(".part") }.sorted()
        do {
            for file in files where !foreign.contains(file) {
                try FileManager.default.removeItem(atPath: folder.appending(file).string)
            }
            if foreign.isEmpty { try FileManager.default.removeItem(atPath: folder.string) }
        } catch {
            throw EmbeddingModelError(.cannotWrite, "\(folder) cannot be removed")
        }
        return foreign
    }

    private static func checkName(_ name: String) throws(EmbeddingModelError) {
        guard !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 100,
            name.unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789-._".unicodeScalars.contains($0))
            })
        else {
            throw EmbeddingModelError(
                .usage,
                "A model's name has letters, digits, - . and _, at most 100, not \"\(name)\""
            )
        }
    }
}

extension ModelFolder {
    /// Checks configuration, preprocessing, tokenizer, and that every tensor is there in its right shape; the weights'
    /// numbers are not looked at.
    package func check() throws(EmbeddingModelError) {
        let architecture = try architecture()
        _ = try preprocessing(of: architecture)
        let checkpoint = try Checkpoint(weights)
        switch architecture {
        case .efficientNetLite0: _ = try EfficientNetLiteGraph.build(checkpoint)
        case .clip(let configuration):
            _ = try CLIPVisionGraph.build(configuration, checkpoint)
            _ = try CLIPTextGraph.build(configuration, checkpoint)
            _ = try TokenTable(configuration.text_config, checkpoint)
            if hasTokenizer { _ = try Tokenizer(TokenVocabulary(folder: path)) }
        }
    }

    /// Whether the files of a tokenizer are there, without which a model has no words.
    package var hasTokenizer: Bool {
        ["vocab.json", "tokenizer.json"].contains { ModelStore.exists(path.appending($0)) }
    }
}
