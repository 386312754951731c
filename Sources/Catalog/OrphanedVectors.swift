/// Vectors of images that the bot has deleted, or whose id it has given to another image since.
package struct OrphanedVectors: Sendable {
    /// How many there are.
    package let count: Int
    /// How many vectors there are in all.
    package let total: Int
    /// The images, by the space of the vectors.
    let images: [(space: StoredSpace, ids: [Int64])]

    /// Whether they may be removed without asking: a great share of them rather means that this is another database.
    package var isPlausible: Bool { count <= 100 || count * 5 <= total }
}

extension VectorDatabase {
    /// Looks for vectors of images that are gone, in every space.
    package func orphans(by main: any MainDatabase) throws(CatalogError) -> OrphanedVectors {
        var orphans: [(space: StoredSpace, ids: [Int64])] = []
        var total = 0
        for space in try spaces() {
            let found = try self.orphans(in: space, by: main, total: &total)
            if !found.isEmpty { orphans.append((space, found)) }
        }
        return OrphanedVectors(count: orphans.reduce(0) { $0 + $1.ids.count }, total: total, images: orphans)
    }

    /// Removes the vectors of images that are gone, where there are plausibly many.
    package func removeOrphans(by main: any MainDatabase) throws(CatalogError) -> OrphanedVectors {
        let found = try orphans(by: main)
        guard found.isPlausible else { return found }
        for (space, images) in found.images { try remove(images, from: space) }
        return found
    }

    private func orphans(
        in space: StoredSpace,
        by main: any MainDatabase,
        total: inout Int
    ) throws(CatalogError) -> [Int64] {
        var orphans: [Int64] = []
        var last: Int64 = .min
        while true {
            let page = try keys(in: space, after: last, count: 1000)
            guard let end = page.last else { return orphans }
            last = end.imageID
            total += page.count
            let images = try main.uniqueIDs(of: page.map(\.imageID))
            orphans += page.filter { images[$0.imageID] != $0.uniqueID }.map(\.imageID)
        }
    }
}
