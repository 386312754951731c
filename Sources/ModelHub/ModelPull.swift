package import EmbeddingModel
import Foundation
import SystemPackage

/// Fetches a model of the catalogue into its folder.
///
/// Weights first, `config.json` last but one, the manifest last: a folder that a pull left unfinished does not look like
/// a model, and the next pull goes on where it ended. A file that is good is neither fetched again nor removed.
package struct ModelPull: Sendable {
    private let hub: Hub
    private let entry: CatalogueEntry
    private let folder: FilePath
    private let revision: String
    private let patience: Patience

    /// What the pull did with a file.
    package enum Step: Sendable, Equatable {
        case kept(String)
        case fetched(String)
        case transfer(Transfer)
    }

    /// The files of a model, and whether it works without them.
    private static let files: [(name: String, isOptional: Bool)] = [
        ("model.safetensors", false), ("vocab.json", true), ("merges.txt", true), ("tokenizer.json", true),
        ("preprocessor_config.json", true), ("config.json", false),
    ]

    package init(
        _ entry: CatalogueEntry,
        into store: ModelStore,
        from hub: Hub,
        revision: String = "main",
        patience: Patience = Patience()
    ) {
        self.hub = hub
        self.entry = entry
        self.revision = revision
        self.patience = patience
        folder = store.path.appending(entry.name)
    }

    /// Whether the model is there with every file as its manifest says.
    package static func isComplete(_ name: String, in store: ModelStore) -> Bool {
        guard let model = try? store.model(named: name), (try? model.manifest()) != nil else { return false }
        return (try? model.verify()) != nil
    }

    /// Fetches what is missing or damaged, and writes the manifest.
    package func run(_ report: @escaping @Sendable (Step) -> Void) async throws {
        guard let repository = entry.repository else {
            throw HubError(.usage, "\(entry.name) is not on the hub: Scripts/setup makes it from a Python package")
        }
        do {
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        } catch {
            throw HubError(.cannotWrite, "\(folder) cannot be made")
        }
        var manifest = ModelManifest(source: "\(repository)@\(revision)", files: [:])
        for (name, isOptional) in Self.files {
            let described = try await patience.retrying(progress: { 0 }) {
                try await hub.describe(name, in: repository, revision: revision)
            }
            guard let file = described else {
                guard isOptional else {
                    throw HubError(.unavailable, "\(repository) has no \(name): it is no model of this kind")
                }
                continue
            }
            manifest.files[name] = try await fetch(file, report)
        }
        do {
            try manifest.data.write(
                to: URL(filePath: folder.appending(ModelManifest.fileName).string),
                options: .atomic
            )
        } catch {
            throw HubError(.cannotWrite, "\(folder.appending(ModelManifest.fileName)) cannot be written")
        }
        removeParts()
    }

    /// Parts of other versions of the files, which nobody will go on with.
    private func removeParts() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
        for name in names where name.hasSuffix(".part") {
            try? FileManager.default.removeItem(atPath: folder.appending(name).string)
        }
    }

    private func fetch(
        _ file: Hub.RemoteFile,
        _ report: @escaping @Sendable (Step) -> Void
    ) async throws -> ModelManifest.File {
        let path = folder.appending(file.name)
        if file.digest.isThat(of: path, size: file.size) {
            report(.kept(file.name))
        } else {
            if case .gitBlob = file.digest, file.name == "model.safetensors" {
                throw HubError(.unavailable, "\(hub.endpoint) gives no SHA-256 of \(file.name): is it a model hub?")
            }
            let download = Download(hub: hub, file: file, target: path, patience: patience) { report(.transfer($0)) }
            try await download.run()
            report(.fetched(file.name))
        }
        guard case .sha256(let digest) = file.digest else { return try ModelManifest.describe(path) }
        return ModelManifest.File(size: file.size, sha256: digest)
    }
}
