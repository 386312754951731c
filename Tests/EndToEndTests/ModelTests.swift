import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The model commands")
    struct ModelTests {
        private static let repository = "openai/clip-vit-base-patch32"
        private static let published = Fixtures.models.appending("tiny-clip")

        /// A folder without any model, and a hub.
        private func withHub(
            _ faults: [String: Int] = [:],
            files: FilePath = published,
            _ body: (Library, HubSimulator) throws -> Void
        ) throws {
            try withLibrary { library in
                try FileManager.default.removeItem(atPath: library.folder.appending("models").string)
                let hub = try HubSimulator(files, repository: Self.repository, faults: faults, in: library.folder)
                defer { try? hub.stop() }
                try body(library, hub)
            }
        }

        private func pull(
            _ library: Library,
            _ hub: HubSimulator,
            with extra: [String: String] = [:]
        ) throws -> Program.Outcome {
            let environment = ["HF_ENDPOINT": hub.endpoint].merging(extra) { $1 }
            return try library.run("model", "pull", "clip-ViT-B-32", with: environment)
        }

        private func names(_ library: Library) throws -> [String] {
            let folder = library.folder.appending("models/clip-ViT-B-32").string
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        }

        private static let complete = [
            "config.json", "model.safetensors", "preprocessor_config.json", "semblance.json",
        ]

        @Test("fetch a model that then works, and ask nothing of the network when it is there")
        func pull() throws {
            try withHub { library, hub in
                let missing = try library.run("embed", "x.jpg")
                #expect(missing.status == 69 && missing.errors.contains("semblance model pull clip-ViT-B-32"))
                let outcome = try pull(library, hub)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try names(library) == Self.complete)
                let weights = library.folder.appending("models/clip-ViT-B-32/model.safetensors")
                let expected = try Fixtures.bytes(of: Self.published.appending("model.safetensors"))
                #expect(try Fixtures.bytes(of: weights) == expected)
                try library.addPictures(1...2)
                #expect(try library.run("generate", "--all-users").status == 0)
                #expect(try library.run("model", "verify", "clip-ViT-B-32").status == 0)
                let count = hub.requests.count
                let again = try pull(library, hub)
                #expect(again.status == 0 && again.output.contains("all files are here and good"))
                #expect(hub.requests.count == count)
            }
        }

        @Test("mend a model of which a file is damaged or gone, and keep what is good")
        func repair() throws {
            try withHub { library, hub in
                #expect(try pull(library, hub).status == 0)
                let folder = library.folder.appending("models/clip-ViT-B-32")
                let weights = folder.appending("model.safetensors")
                var bytes = try Fixtures.bytes(of: weights)
                bytes[bytes.count - 9] ^= 1
                try Data(bytes).write(to: URL(filePath: weights.string))
                let verified = try library.run("model", "verify", "clip-ViT-B-32")
                #expect(verified.status == 65 && verified.errors.contains("model.safetensors"))
                try FileManager.default.removeItem(atPath: folder.appending("preprocessor_config.json").string)
                try Data("old".utf8).write(to: URL(filePath: "\(weights).0123456789abcdef.part"))
                let outcome = try pull(library, hub)
                #expect(
                    outcome.status == 0 && outcome.errors.contains("config.json: here and good"),
                    "\(outcome.errors)"
                )
                #expect(outcome.errors.contains("model.safetensors: fetched"))
                #expect(try library.run("model", "verify", "clip-ViT-B-32").status == 0)
                #expect(try names(library) == Self.complete)
            }
        }

        @Test(
            "go on where a cut connection ended, wait for a busy hub, and need no Range",
            arguments: [
                ["cut": 4], ["busy": 2], ["unavailable": 3], ["cut": 2, "whole": 1], ["short": 3], ["wrong": 1],
            ]
        )
        func passingFaults(faults: [String: Int]) throws {
            try withHub(faults) { library, hub in
                let outcome = try pull(library, hub)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try names(library) == Self.complete)
                #expect(try library.run("model", "verify", "clip-ViT-B-32").status == 0)
                if faults == ["cut": 4] {
                    let ranges = hub.requests.filter { $0.contains("signature") }.map { $0.split(separator: " ")[3] }
                    let starts = ranges.dropFirst().compactMap { Int($0.dropFirst(6).dropLast()) }
                    #expect(ranges.count == 5 && ranges[0] == "-" && starts.count == 4, "\(ranges)")
                    #expect(starts == starts.sorted() && Set(starts).count == 4 && starts[0] > 0, "\(ranges)")
                }
            }
        }

        @Test(
            "say what is wrong with a hub that does not give the model, and leave nothing that looks like one",
            arguments: [
                (["missing": 1], 69, "has no model.safetensors"), (["private": 1], 69, "HF_TOKEN"),
                (["circle": 99], 69, "around in circles"), (["wrong": 2], 65, "other bytes"),
                (["long": 1], 65, "more of"),
                (["busy": 99], 75, "answers 429"), (["short": 99], 69, "run it again"),
            ]
        )
        func refusals(faults: [String: Int], status: Int32, words: String) throws {
            try withHub(faults) { library, hub in
                let outcome = try pull(library, hub)
                #expect(
                    outcome.status == status && outcome.errors.contains(words),
                    "\(outcome.status) \(outcome.errors)"
                )
                #expect(try !names(library).contains { !$0.hasSuffix(".part") })
                #expect(try library.run("embed", "x.jpg").status == 69)
            }
        }

        @Test("send the token to the hub alone, and show it nowhere")
        func token() throws {
            try withHub(["private": 1]) { library, hub in
                let outcome = try pull(library, hub, with: ["HF_TOKEN": "secret"])
                #expect(outcome.status == 0, "\(outcome.errors)")
                for request in hub.requests {
                    #expect(request.contains("Bearer secret") != request.contains("signature"))
                }
                let doctor = try library.run("doctor", with: ["HF_TOKEN": "secret"])
                #expect(doctor.output.contains("HF_TOKEN: *** (environment)"))
                #expect(!(doctor.output + doctor.errors + outcome.output + outcome.errors).contains("secret"))
            }
        }

        @Test("go on after kill -9, and let one pull at a time download a file")
        func killed() throws {
            try withHub(["silent": 2]) { library, hub in
                let environment = ["HF_ENDPOINT": hub.endpoint]
                let first = try library.start(["model", "pull", "clip-ViT-B-32"], with: environment)
                try waitUntil { hub.requests.contains { $0.contains("signature") } }
                let second = try pull(library, hub)
                #expect(second.status == 75 && second.errors.contains("by another program"), "\(second.errors)")
                first.signal(SIGKILL)
                _ = try first.wait()
                #expect(try pull(library, hub).status == 0)
                #expect(try names(library) == Self.complete)
            }
        }

        @Test("honour HF_HUB_OFFLINE, and refuse unknown names and addresses that are not safe")
        func refusedBeforeAsking() throws {
            try withHub { library, hub in
                let offline = try pull(library, hub, with: ["HF_HUB_OFFLINE": "1"])
                #expect(offline.status == 69 && offline.errors.contains("HF_HUB_OFFLINE"))
                let unsafe = try pull(library, hub, with: ["HF_ENDPOINT": "http://example.org"])
                #expect(unsafe.status == 64 && unsafe.errors.contains("https"))
                let password = try pull(library, hub, with: ["HF_ENDPOINT": "https://me:canary@example.org"])
                #expect(password.status == 64 && !password.errors.contains("canary"))
                let unknown = try library.run("model", "pull", "clip-of-nobody")
                #expect(unknown.status == 64 && unknown.errors.contains("clip-ViT-B-16"))
                let local = try library.run("model", "pull", "efficientnet-lite0", with: ["HF_ENDPOINT": hub.endpoint])
                #expect(local.status == 64 && local.errors.contains("Scripts/setup"))
                #expect(hub.requests.isEmpty)
            }
        }

        @Test("import a published folder under a name, list it, verify it, remove it")
        func importing() throws {
            try withLibrary { library in
                let imported = try library.run("model", "import", Self.published.string, "--name", "mine")
                #expect(imported.status == 0 && imported.output.contains("CLIP, 512 dimensions"), "\(imported.errors)")
                #expect(imported.errors.contains("no words"))
                #expect(try library.run("model", "import", Self.published.string, "--name", "mine").status == 64)
                #expect(try library.run("model", "import", Self.published.string, "--name", "../mine").status == 64)
                let list = try library.run("model", "list").output
                #expect(list.contains("  mine ") && list.contains("* clip-ViT-B-32 "))
                #expect(list.contains("clip-ViT-L-14") && list.contains("not here"))
                #expect(try library.run("model", "verify", "mine").status == 0)
                try library.addPictures(1...1)
                let wanted = ["EMBEDDING_MODEL": "mine", "EMBEDDING_PRECISION": "int8"]
                #expect(try library.run("generate", "--all-users", with: wanted).status == 0)
                try library.write(Array("a note".utf8), "models/mine/note.txt")
                let removed = try library.run("model", "remove", "mine")
                #expect(removed.status == 0 && removed.errors.contains("note.txt"), "\(removed.errors)")
                let left = try FileManager.default.contentsOfDirectory(
                    atPath: library.folder.appending("models/mine").string
                )
                #expect(left == ["note.txt"])
                #expect(try library.run("model", "remove", "nobody").status == 69)
            }
        }

        @Test("import nothing that is no model", arguments: ["config.json", "model.safetensors"])
        func importingDamage(file: String) throws {
            try withLibrary { library in
                let folder = library.folder.appending("models").appending(Library.model)
                try library.write(Array("{}".utf8), "models/\(Library.model)/\(file)")
                let outcome = try library.run("model", "import", folder.string, "--name", "copy")
                #expect(outcome.status == 65 && outcome.errors.contains(file), "\(outcome.errors)")
                let models = try FileManager.default.contentsOfDirectory(
                    atPath: library.folder.appending("models").string
                )
                #expect(models == [Library.model])
            }
        }
    }
}
