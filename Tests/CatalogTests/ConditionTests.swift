import Digests
import TestSupport
import Testing
import Vectors

@testable import Catalog

@Suite("An image's condition")
struct ConditionTests {
    private let model = "clip-ViT-B-32"

    private func image(_ stored: ImageRecord.StoredValue, label: String? = "clip-ViT-B-32") -> ImageRecord {
        ImageRecord(
            id: 1,
            fileUniqueID: "a",
            chatID: 1,
            isCompleted: true,
            paths: [],
            stored: stored,
            label: label
        )
    }

    private func record(_ blob: [UInt8], uniqueID: String = "a", isPublished: Bool = true) -> VectorRecord {
        VectorRecord(
            id: 1,
            imageID: 1,
            fileUniqueID: uniqueID,
            blobDigest: SHA256Digest(of: blob).bytes,
            isPublished: isPublished,
            sourceDigest: [],
            isDescribed: true
        )
    }

    private func blob(_ first: Float = 1) throws -> [UInt8] {
        EmbeddingBlob(try Embedding(normalizing: [first, -2, 3])).bytes
    }

    @Test("is embedded only where both databases hold the same vector for the same file")
    func embedded() throws {
        let ours = try blob()
        #expect(Condition(of: image(.blob(ours)), ours: record(ours), model: model) == .embedded)
        #expect(Condition(of: image(.blob(ours)), ours: record(ours, isPublished: false), model: model) == .embedded)
        #expect(
            Condition(of: image(.blob(ours), label: "other"), ours: record(ours), model: model) == .stale(.otherModel)
        )
    }

    @Test("is unpublished where our vector has not reached the bot's database, whatever stands there")
    func unpublished() throws {
        let ours = record(try blob(), isPublished: false)
        #expect(Condition(of: image(.nothing, label: nil), ours: ours, model: model) == .unpublished)
        #expect(Condition(of: image(.blob(try blob(5))), ours: ours, model: model) == .unpublished)
    }

    @Test("is unpublished, not overwritten, where the bot's row holds our vector of another space")
    func otherSpace() throws {
        let (ours, old) = (try blob(), try blob(5))
        let here = image(.blob(old), label: "old")
        let published = record(ours)
        #expect(Condition(of: here, ours: published, elsewhere: [record(old)], model: model) == .unpublished)
        #expect(Condition(of: here, ours: nil, elsewhere: [record(old)], model: model) == .stale(.otherSpace))
        let exchanged = record(old, uniqueID: "b")
        #expect(Condition(of: here, ours: published, elsewhere: [exchanged], model: model) == .stale(.otherModel))
    }

    @Test("is stale where the bot wrote over a published vector, and pending where it took it away")
    func overwritten() throws {
        let ours = record(try blob())
        #expect(Condition(of: image(.blob(try blob(5))), ours: ours, model: model) == .stale(.unknownOrigin))
        let fake = try Fixtures.fakeBlob()
        #expect(Condition(of: image(.blob(fake)), ours: ours, model: model) == .stale(.noModel))
        #expect(Condition(of: image(.nothing), ours: ours, model: model) == .pending)
    }

    @Test("of another image with the same id is not taken for the one that is known")
    func idReuse() throws {
        let ours = record(try blob(), uniqueID: "deleted image", isPublished: false)
        #expect(Condition(of: image(.nothing), ours: ours, model: model) == .pending)
        #expect(Condition(of: image(.blob(try blob())), ours: ours, model: model) == .stale(.unknownOrigin))
    }

    @Test("without a record of ours is never embedded")
    func withoutProvenance() throws {
        let cases: [(ImageRecord, Condition)] = [
            (image(.nothing), .pending),
            (image(.blob(try blob())), .stale(.unknownOrigin)),
            (image(.blob(try blob()), label: nil), .stale(.unknownOrigin)),
            (image(.blob(try blob()), label: "clip-ViT-L-14"), .stale(.otherModel)),
            (image(.blob(try Fixtures.fakeBlob())), .stale(.noModel)),
            (image(.blob(try Fixtures.fakeBlob()), label: nil), .stale(.noModel)),
            (image(.blob([])), .stale(.damaged)),
            (image(.blob([1, 2, 3])), .stale(.damaged)),
            (image(.tooLarge), .stale(.damaged)),
            (image(.notABlob), .stale(.damaged)),
        ]
        for (image, expected) in cases { #expect(Condition(of: image, ours: nil, model: model) == expected) }
    }
}
