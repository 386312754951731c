import Glibc
package import SystemPackage

/// The folder of model folders.
package struct ModelStore: Sendable {
    /// Where models are looked for, one folder each, named as the model.
    package let path: FilePath

    package init(path: FilePath) { self.path = path }

    /// The models that are there, by name.
    package func models() -> [ModelFolder] {
        guard let directory = path.withPlatformString({ opendir($0) }) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
            )
        }
        return names.sorted().compactMap { name in name.hasPrefix(".") ? nil : folder(named: name) }
    }

    /// A model by name.
    ///
    /// - Throws: `.missing`, naming the folder, how to fill it, and the models that are there.
    package func model(named name: String) throws(EmbeddingModelError) -> ModelFolder {
        let isPlainName = !name.isEmpty && !name.hasPrefix(".") && !name.contains("/")
        guard isPlainName, let folder = folder(named: name) else {
            throw EmbeddingModelError(.missing, absence(of: name))
        }
        guard Self.exists(folder.weights) else {
            throw EmbeddingModelError(.missing, "\(folder.path) has no model.safetensors; fetch the model again")
        }
        return folder
    }

    /// A published folder holds its files at its top, or in `0_CLIPModel` where sentence-transformers made it.
    private func folder(named name: String) -> ModelFolder? {
        let top = path.appending(name)
        return [top, top.appending("0_CLIPModel")]
            .first { Self.exists($0.appending("config.json")) }
            .map { ModelFolder(name: name, path: $0) }
    }

    private func absence(of name: String) -> String {
        let others = models().map(\.name)
        let advice = "semblance model pull \(name) fetches a model of the catalogue, semblance model import a folder"
        let present =
            others.isEmpty
            ? "No other model is in \(path); Scripts/setup makes a small one, efficientnet-lite0"
            : "There are \(others.joined(separator: ", ")): to use one, set EMBEDDING_MODEL=\(others[0])"
        return "The model \(name) is not in \(path.appending(name)). \(advice). \(present)."
    }

    static func exists(_ path: FilePath) -> Bool {
        path.withPlatformString { access($0, F_OK) } == 0
    }
}
