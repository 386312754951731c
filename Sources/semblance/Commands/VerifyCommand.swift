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
            Nothing is changed without --repair. With --sample some vectors are computed anew from their files and compared \
            (cosine at least 0.999). --repair does what can be proven right: it removes vectors of images that are gone, and \
            false ones, writes ours into the bot's rows where those hold nothing or nothing of worth, and makes a wrong index \
            anew; semblance generate does the rest. The exit status is 65 where anything is wrong and stays so.
            """
    )

    @Option(help: "Compute so many vectors anew, spread over all images.")
    var sample = 0

    @Flag(help: "Put right what can be proven.")
    var repair = false

    @Flag(help: "With --repair: even where more than a fifth of all vectors would be removed.")
    var yes = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard 0...1_000_000 ~= sample else { throw ValidationError("--sample takes a number up to 1000000.") }
        guard repair || !yes else { throw ValidationError("--yes goes with --repair.") }
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
        guard repair else {
            return try verify(try Catalog(reading: settings, index: true), settings).isEmpty ? .done : .badData
        }
        try settings.address.checkFile()
        let lock = try RunLock(beside: settings.vectorDatabase)
        defer { lock.release() }
        let vectors = try SQLiteVectorDatabase.forWriting(settings)
        let main = try SQLiteMainDatabase(settings.address, isReadOnly: false)
        let catalog = Catalog(main: main, vectors: vectors)
        let findings = try verify(catalog, settings)
        guard !findings.isEmpty else { return .done }
        let space = try catalog.activeSpace(settings)
        return try mend(findings, catalog, space) {
            try SQLiteVectorStore(main: main, vectors: vectors, space: space.space)
        }
    }

    /// Reports what is found, and gives back what is wrong for certain.
    private func verify(_ catalog: Catalog, _ settings: Settings) throws -> [Verification.Finding] {
        let space = try catalog.activeSpace(settings)
        var findings: [Verification.Finding] = []
        let report = { (finding: Verification.Finding) in
            findings.append(finding)
            guard !json else { return }
            let subject = finding.kind == .indexOrphan ? "index row" : "image"
            Console.data("\(subject) \(finding.imageID): \(finding.kind.rawValue)")
        }
        try Verification(catalog, space: space).run(report)
        let computed = try sample > 0 ? recompute(catalog, space, settings, report) : 0
        if json { Console.data(try findings.map(Line.init).json()) }
        if sample > 0 { Console.say("\(Counts.images(computed)) computed anew.") }
        let wrong = findings.filter(\.kind.isCertain)
        guard !json else { return wrong }
        Console.data(
            wrong.isEmpty
                ? "Everything is as it should be." : "\(wrong.count) of what was checked is not as it should be."
        )
        if wrong.count < findings.count {
            Console.data(
                "\(Counts.images(findings.count - wrong.count)) may be worth a look; --sample computes vectors anew."
            )
        }
        return wrong
    }

    private func mend(
        _ findings: [Verification.Finding],
        _ catalog: Catalog,
        _ space: StoredSpace,
        _ open: () throws -> SQLiteVectorStore
    ) throws -> ExitStatus {
        let repair = try Repair(of: findings, catalog, space: space)
        guard try yes || !repair.isDrastic() else {
            throw CommandError(
                .badData,
                "\(repair.removed.count) vectors would be removed, more than a fifth of all. Is this the right database? "
                    + "Nothing was changed; --yes removes them"
            )
        }
        try repair.run(try open())
        Console.say(
            "Repaired: \(repair.removed.count) vectors removed, \(repair.published.count) written into the bot's database, "
                + "\(repair.restored.count) taken back from it\(repair.rebuildsIndex ? ", the index made anew" : "")."
        )
        guard repair.left.isEmpty && repair.removed.isEmpty else {
            Console.say("semblance generate --all-users computes what is missing now and replaces what is left.")
            return repair.left.isEmpty ? .done : .badData
        }
        return .done
    }

    /// Computes vectors anew, of every so many-th image that has one.
    ///
    /// - Returns: How many; a file that is gone says nothing about its vector.
    private func recompute(
        _ catalog: Catalog,
        _ space: StoredSpace,
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
