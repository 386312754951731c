import GRDB

/// Vectors of images that the bot has deleted, or whose id it has given to another image since.
package struct OrphanedVectors: Sendable {
    /// How many there are.
    package let count: Int
    /// How many vectors there are in all.
    package let total: Int
    /// The images, by the space of the vectors.
    let images: [(space: VectorDatabase.StoredSpace, ids: [Int64])]

    /// Whether they may be removed without asking: a great share of them rather means that this is another database.
    package var isPlausible: Bool { count <= 100 || count * 5 <= total }
}

extension VectorDatabase {
    /// Looks for vectors of images that are gone, in every space.
    package func orphans(by main: MainDatabase) throws(CatalogError) -> OrphanedVectors {
        var orphans: [(space: StoredSpace, ids: [Int64])] = []
        var total = 0
        for space in try spaces() {
            let found = try self.orphans(in: space, by: main, total: &total)
            if !found.isEmpty { orphans.append((space, found)) }
        }
        return OrphanedVectors(count: orphans.reduce(0) { $0 + $1.ids.count }, total: total, images: orphans)
    }

    /// Removes the vectors of images that are gone, where there are plausibly many.
    package func removeOrphans(by main: MainDatabase) throws(CatalogError) -> OrphanedVectors {
        let found = try orphans(by: main)
        guard found.isPlausible else { return found }
        for (space, images) in found.images { try remove(images, from: space) }
        return found
    }

    /// Removes images' vectors of a space in short transactions.
    func remove(_ images: [Int64], from space: StoredSpace) throws(CatalogError) {
        for start in stride(from: 0, to: images.count, by: 500) {
            try write { try remove(images[start..<min(start + 500, images.count)], from: space, $0) }
        }
    }

    private func orphans(
        in space: StoredSpace,
        by main: MainDatabase,
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

    /// Whose vectors a space has, in the order of the images' ids.
    private func keys(
        in space: StoredSpace,
        after id: Int64,
        count: Int
    ) throws(CatalogError) -> [(imageID: Int64, uniqueID: String)] {
        try read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT image_id, file_unique_id FROM vectors
                    WHERE space_id = ? AND image_id > ? ORDER BY image_id LIMIT ?
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.id, id, count]).map { ($0[0], $0[1]) }
        }
    }
}

extension MainDatabase {
    /// Telegram's names of the files of images that are there, by the images' ids.
    func uniqueIDs(of images: [Int64]) throws(CatalogError) -> [Int64: String] {
        try read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT id, file_unique_id FROM images WHERE id IN (SELECT value FROM json_each(?))"
            )
            let rows = try Row.fetchAll(statement, arguments: [jsonArray(images)])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], ($0[1] as DatabaseValue).text) })
        }
    }
}
