import Catalog
import Similarity
import SystemPackage

/// What `duplicates` prints: the kinds one after the other, each with its groups, or JSON.
struct DuplicatesReport: Encodable {
    let groups: [SameGroup]
    let kinds: [Sameness]

    private struct Group: Encodable {
        struct Image: Encodable {
            let image_id: Int64
            let path: String?
            let bytes: Int?
        }
        let kind: String
        let images: [Image]
        let bytes_freed: Int
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(
            groups.map { group in
                Group(
                    kind: group.sameness.name,
                    images: zip(group.images, group.byteCounts).map { image, bytes in
                        Group.Image(image_id: image.id, path: image.paths.first?.string, bytes: bytes)
                    },
                    bytes_freed: group.bytesFreed
                )
            }
        )
    }

    /// The lines for people.
    var lines: [String] {
        Sameness.allCases.filter(kinds.contains).flatMap { kind -> [String] in
            let found = groups.filter { $0.sameness == kind }
            guard !found.isEmpty else { return ["No \(kind.rawValue)."] }
            let freed = Counts.bytes(found.reduce(0) { $0 + $1.bytesFreed })
            let title = "\(kind.rawValue.prefix(1).uppercased())\(kind.rawValue.dropFirst()): "
            return [
                title
                    + "\(found.count) \(found.count == 1 ? "group" : "groups"), \(freed) more than the largest of each"
            ]
                + found.flatMap(lines)
        }
    }

    private func lines(of group: SameGroup) -> [String] {
        ["  \(Counts.images(group.images.count)), \(Counts.bytes(group.bytesFreed)) to be freed"]
            + zip(group.images, group.byteCounts).map { image, bytes in
                let size = bytes.map { ", \(Counts.bytes($0))" } ?? ""
                let path = image.paths.first.map { "  \($0)" } ?? ""
                return Console.oneLine("    image \(image.id)\(size)\(path)")
            }
    }
}
