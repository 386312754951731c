import Catalog
import FoundationEssentials
import SystemPackage
import Vectors

/// The confirmed vectors of a scope, on their way into a file.
struct VectorExport {
    private let vectors: VectorMatrix
    /// The rows of the matrix that are written, with their images.
    private let rows: [(row: Int, image: ImageRecord)]
    private let space: Space

    /// What the numbers mean.
    private struct Space: Encodable {
        let model: String
        let weights: String
        let preprocessing: Int
        let dimension: Int
    }

    init(_ catalog: Catalog, space: StoredSpace, _ scope: Scope) throws {
        let vectors = try catalog.searchableVectors(in: space, scope)
        let pageLength = 500
        var rows: [(Int, ImageRecord)] = []
        for start in stride(from: 0, to: vectors.count, by: pageLength) {
            let page = start..<min(start + pageLength, vectors.count)
            let confirmed = try catalog.confirmed(Array(vectors.ids[page]), in: space, scope)
            rows += page.compactMap { row in confirmed[vectors.ids[row]].map { (row, $0) } }
        }
        self.vectors = vectors
        self.rows = rows
        self.space = Space(
            model: space.space.model,
            weights: space.space.weightsDigest,
            preprocessing: space.space.preprocessingVersion,
            dimension: space.space.dimension
        )
    }

    /// Writes a NumPy archive.
    ///
    /// - Returns: How many vectors it holds.
    func writeArchive(_ file: FileDescriptor) throws -> Int {
        var zip = ZipWriter(file)
        try zip.add("ids.npy") { take in
            let header = NumPyArray.header(type: "<i8", shape: "(\(rows.count),)")
            try header.withUnsafeBytes(take)
            for (_, image) in rows { try withUnsafeBytes(of: image.id.littleEndian) { try take($0) } }
        }
        try zip.add("vectors.npy") { take in
            let header = NumPyArray.header(type: "<f4", shape: "(\(rows.count), \(space.dimension))")
            try header.withUnsafeBytes(take)
            for (row, _) in rows { try vectors.withRow(row, take) }
        }
        let text = Array(try space.json().utf8)
        try zip.add("space.npy") { take in
            try (NumPyArray.header(type: "|S\(text.count)", shape: "()") + text).withUnsafeBytes(take)
        }
        try zip.finish()
        return rows.count
    }

    /// Writes a JSON object a line.
    ///
    /// - Returns: How many lines.
    func writeLines(_ file: FileDescriptor) throws -> Int {
        struct Line: Encodable {
            let image_id: Int64
            let file_unique_id: String
            let path: String?
            let model: String
            let weights: String
            let embedding: [Float]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for (row, image) in rows {
            let line = Line(
                image_id: image.id,
                file_unique_id: image.fileUniqueID,
                path: image.paths.first?.string,
                model: space.model,
                weights: space.weights,
                embedding: vectors.withRow(row) { Array($0.bindMemory(to: Float.self)) }
            )
            try file.writeAll(try encoder.encode(line) + Data("\n".utf8))
        }
        return rows.count
    }
}
