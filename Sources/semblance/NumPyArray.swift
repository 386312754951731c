import FoundationEssentials
import Vectors

/// An array in NumPy's file format, version 1.0: magic, header, numbers row by row.
struct NumPyArray {
    /// The bytes of the file.
    let data: Data

    /// A matrix of float32.
    ///
    /// - Parameter rows: A row each; `nil` becomes a row of NaN.
    init(rows: [Embedding?]) {
        let width = rows.lazy.compactMap { $0?.dimension }.first ?? 0
        var bytes = Self.header(type: "<f4", shape: "(\(rows.count), \(width))")
        for row in rows {
            for component in row?.components ?? [Float](repeating: .nan, count: width) {
                withUnsafeBytes(of: component.bitPattern.littleEndian) { bytes += $0 }
            }
        }
        data = Data(bytes)
    }

    /// What stands before the numbers, padded to a multiple of 64.
    ///
    /// - Parameters:
    ///   - type: NumPy's name of the numbers' type, such as "<f4".
    ///   - shape: As Python writes it, such as "(3, 512)".
    static func header(type: String, shape: String) -> [UInt8] {
        let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
        let padding = 64 - (10 + text.utf8.count + 1) % 64
        let header = text + String(repeating: " ", count: padding % 64) + "\n"
        let length = [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)]
        return [0x93] + Array("NUMPY".utf8) + [1, 0] + length + Array(header.utf8)
    }
}
