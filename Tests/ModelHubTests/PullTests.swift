import EmbeddingModel
import Foundation
import ModelHub
import SystemPackage
import TestSupport
import Testing

@Suite("A pull that runs out of patience", .serialized)
struct PullTests {
    /// What a pull from a hub with a fault ends in, with little patience.
    private func pull(_ faults: [String: Int]) async throws -> HubError? {
        let folder = FilePath("/tmp/semblance-pull-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let entry = try #require(CatalogueEntry.named("clip-ViT-B-32"))
        let files = Fixtures.models.appending("tiny-clip")
        let hub = try HubSimulator(files, repository: entry.repository ?? "", faults: faults, in: folder)
        defer { try? hub.stop() }
        var patience = Patience()
        patience.attempts = 3
        patience.firstWait = 0.01
        patience.slowWindow = 0.5
        let store = ModelStore(path: folder.appending("models"))
        do {
            try await Hub.connected(to: hub.endpoint, token: nil, silence: .seconds(1)) { [patience] hub in
                try await ModelPull(entry, into: store, from: hub, patience: patience).run { _ in }
            }
            return nil
        } catch let error as HubError {
            return error
        }
    }

    @Test("with a server that sends nothing, or a byte now and then, ends with a sentence")
    func slow() async throws {
        for fault in ["silent", "drip"] {
            let error = try await pull([fault: 99])
            #expect(error?.code == .unavailable, "\(fault)")
            #expect(error?.description.contains("run it again") == true, "\(fault): \(error?.description ?? "")")
        }
    }

    @Test("does not, where the server is slow once")
    func slowOnce() async throws {
        #expect(try await pull(["drip": 1]) == nil)
        #expect(try await pull(["silent": 1]) == nil)
    }
}
