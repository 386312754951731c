import Digests
import FoundationEssentials
import GRDB
import Vectors

/// Puts right what a verification found, as far as it can be proven, and nothing else.
///
/// A vector whose image is gone or another one, whose bytes are not those that were stored, that no picture gives, or that
/// was computed anew and came out otherwise, is removed; the next `generate` computes it. Where the bot's row still holds
/// the bytes that were stored, they are taken back instead. Ours goes into the bot's row where that holds nothing, bytes
/// that are no vector, random numbers, or our vector under another name. Of what else the bot's rows hold nothing can be
/// proven: `generate` decides.
package struct Repair {
    /// Images whose vector is removed.
    package private(set) var removed: Set<Int64> = []
    /// Images whose vector is taken back from the bot's row.
    package private(set) var restored: Set<Int64> = []
    /// Images whose vector is written into the bot's row.
    package private(set) var published: Set<Int64> = []
    /// Whether the index is made anew.
    package private(set) var rebuildsIndex = false
    /// What is left as it is.
    package private(set) var left: [Verification.Finding] = []

    private let catalog: Catalog
    private let space: StoredSpace

    /// Decides what is done.
    package init(
        of findings: [Verification.Finding],
        _ catalog: Catalog,
        space: StoredSpace
    ) throws(CatalogError) {
        self.catalog = catalog
        self.space = space
        for finding in findings { try decide(finding) }
        for image in removed.union(restored) { published.remove(image) }
    }

    private mutating func decide(_ finding: Verification.Finding) throws(CatalogError) {
        switch finding.kind {
        case .imageGone, .imageExchanged, .ourVectorConstant, .recomputedDiffers, .fileChanged:
            removed.insert(finding.imageID)
        case .ourVectorDamaged, .ourDigestWrong:
            if try isWholeInBotsRow(finding.imageID) {
                restored.insert(finding.imageID)
            } else {
                removed.insert(finding.imageID)
            }
        case .notPublished, .relabelled, .overwrittenWorthlessly: published.insert(finding.imageID)
        case .notInIndex, .indexDiffers, .indexOrphan: rebuildsIndex = true
        case .overwritten, .blobDamaged, .madeByNoModel, .otherModel, .unknownOrigin: left.append(finding)
        case .sameAsOther: break
        }
    }

    /// Whether the bot's row holds the bytes that our database should hold.
    private func isWholeInBotsRow(_ image: Int64) throws(CatalogError) -> Bool {
        guard let row = try catalog.main.images([image]).first else { return false }
        return try catalog.vectors?.records(in: space, imageIDs: image...image, only: nil).vectors[image]?.isHeld(
            by: row
        ) ?? false
    }

    /// Whether more than a fifth of all vectors would go, which somebody has to say yes to.
    package func isDrastic() throws(CatalogError) -> Bool {
        guard let vectors = catalog.vectors else { return false }
        return try removed.count * 5 > vectors.vectorCount(in: space)
    }

    /// Does it.
    package func run(_ store: SQLiteVectorStore) throws(CatalogError) {
        let images = try catalog.main.images(restored.sorted())
        try store.file.write { db in
            for image in images {
                guard case .blob(let bytes) = image.stored else { continue }
                try db.execute(
                    sql: "UPDATE vectors SET blob = ? WHERE space_id = ? AND image_id = ? AND blob_digest = ?",
                    arguments: [Data(bytes), space.id, image.id, Data(SHA256Digest(of: bytes).bytes)]
                )
            }
        }
        try store.file.remove(removed.subtracting(restored).sorted(), from: space)
        for start in stride(from: 0, to: published.count, by: 100) {
            let page = published.sorted()[start..<min(start + 100, published.count)]
            _ = try store.publish(try catalog.main.images(Array(page)))
        }
        try store.finish()
        if rebuildsIndex || !restored.isEmpty, case .ready = store.index {
            try store.vectors.rebuildIndex(of: space) { _ in }
        }
    }
}
