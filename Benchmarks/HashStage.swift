import ArgumentParser
import EmbeddingModel
import Foundation
import ImageDecoding
import TestSupport
import Vectors

/// How far the perceptual hashes of copies of a picture are from its own, and how far those of other pictures.
struct HashStage: ParsableCommand {
    @Argument(help: "A folder of pictures.")
    var folder: String

    func run() throws {
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        var hashes: [PerceptualHash] = []
        var distances: [String: [Int]] = [:]
        for file in files.sorted() {
            guard let bytes = FileManager.default.contents(atPath: folder + "/" + file),
                let image = try? ImageDecoder.decode([UInt8](bytes)), min(image.width, image.height) >= 32
            else { continue }
            let hash = PerceptualHash(of: image)
            hashes.append(hash)
            let edits = PictureEdits(samples: image.samples, width: image.width, height: image.height)
            let copies: [(String, [UInt8])] = [
                ("JPEG quality 85", edits.recompressed(quality: 85)),
                ("JPEG quality 30", edits.recompressed(quality: 30)),
                ("half size", edits.halved.recompressed(quality: 85)),
                ("quarter size", edits.halved.halved.recompressed(quality: 85)),
                ("2 % off each side", edits.cropped(0.02).recompressed(quality: 85)),
                ("4 % off each side", edits.cropped(0.04).recompressed(quality: 85)),
            ]
            for (name, copy) in copies {
                let image = try ImageDecoder.decode(copy, shortSide: 448)
                distances[name, default: []].append(hash.distance(to: PerceptualHash(of: image)))
            }
        }
        for (index, hash) in hashes.enumerated() {
            distances["other pictures", default: []] += hashes[..<index].map { hash.distance(to: $0) }
        }
        print("pictures: \(hashes.count)")
        for (name, found) in distances.sorted(by: { $0.key < $1.key }) {
            let within = [4, 6, 8, 10, 12, 16].map { limit in
                String(format: "≤%d: %.4f", limit, Double(found.count { $0 <= limit }) / Double(found.count))
            }
            print("\(name): \(within.joined(separator: "  "))")
        }
    }
}
