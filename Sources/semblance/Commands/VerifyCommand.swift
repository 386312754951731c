import ArgumentParser
import Catalog
import Digests
import EmbeddingModel
import ImageDecoding
import SystemPackage
import Vectors

/// `semblance verify`: whether what was stored is still what it should be.
struct VerifyCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Compare the bot's database, ours and the index row by row; name each row that is not as it should be.",
        discussion: """
            Nothing is changed: semblance generate replaces what the bot's rows hold wrongly, and fills the index. With \
            --sample some vectors are computed anew from their files and compared (cosine at least 0.999). The exit \
            status is 65 where anything is wrong.
            """
    )

    @Option(help: "Compute so many vectors anew, spread over all images.")
    var sample = 0

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard 0...1_000_000 ~= sample else { throw ValidationError("--sample takes a number up to 1000000.") }
    }

    /// One finding, as JSON tells it.
    private struct Line: Encodable {
        let image_id: Int64
        let problem: String
        let message: String

        init(_ finding: Verification.Finding) {
            image_id = finding.imageID
            problem = "\(finding.kind)"
            message = finding.kind.rawValue
        }
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let catalog = try Catalog(reading: settings, index: true)
        let space = try catalog.activeSpace(settings)
        var lines: [Line] = []
        var count = 0
        let report = { (finding: Verification.Finding) in
            count += 1
            guard !json else { return lines.append(Line(finding)) }
            let subject = finding.kind == .indexOrphan ? "index row" : "image"
            Console.data("\(subject) \(finding.imageID): \(finding.kind.rawValue)")
        }
        try Verification(catalog, space: space).run(report)
        let computed = try sample > 0 ? recompute(catalog, space, settings, report) : 0
        if json { Console.data(try lines.json()) }
        if sample > 0 { Console.say("\(Counts.images(computed)) computed anew.") }
        guard count == 0 else {
            if !json { Console.data("\(count) of what was checked is not as it should be.") }
            return .badData
        }
        if !json { Console.data("Everything is as it should be.") }
        return .done
    }

    /// Computes vectors anew, of every so many-th image that has one.
    ///
    /// - Returns: How many; a file that is gone says nothing about its vector.
    private func recompute(
        _ catalog: Catalog,
        _ space: VectorDatabase.StoredSpace,
        _ settings: Settings,
        _ report: (Verification.Finding) -> Void
    ) throws -> Int {
        let encoder = try Engine.encoder(of: space.space, settings)
        let ids = try catalog.searchableVectors(in: space, .allUsers).ids
        let root = try settings.root
        var count = 0
        for number in 0..<min(sample, ids.count) {
            let id = ids[number * ids.count / min(sample, ids.count)]
            guard let stored = try catalog.embedding(of: id, in: space),
                let image = try catalog.main.images([id]).first,
                let bytes = image.paths.lazy.compactMap({ try? PictureFile.read(root.pushing($0)) }).first
            else { continue }
            count += 1
            guard try catalog.vectors?.sourceDigest(of: id, in: space) == SHA256Digest(of: bytes).bytes else {
                report(.init(.fileChanged, id))
                continue
            }
            let pixels = try? ImageDecoder.decode(bytes, shortSide: encoder.preprocessing.decodedShortSide)
            let tensors = pixels.map { [encoder.preprocessing.tensor(of: $0)] } ?? []
            let anew = try encoder.embed(tensors).first.flatMap { try? $0.get() }
            if anew.map({ $0.cosine(to: stored) < 0.999 }) ?? true { report(.init(.recomputedDiffers, id)) }
        }
        return count
    }
}
