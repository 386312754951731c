import Digests
import FoundationEssentials
import Glibc
import Inference
import SystemPackage

/// A safetensors file under construction.
struct SafetensorsFile {
    private struct Entry: Encodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private var entries: [String: Entry] = [:]
    private var data: [[UInt8]] = []
    private var length = 0

    /// Adds a tensor, whose bytes are as the format wants them: little endian, row-major.
    mutating func add(_ name: String, _ type: ElementType, shape: [Int], bytes: [UInt8]) {
        entries[name] = Entry(dtype: type.safetensors, shape: shape, data_offsets: [length, length + bytes.count])
        length += bytes.count
        data.append(bytes)
    }

    /// Adds float32 numbers.
    mutating func add(_ name: String, shape: [Int], floats: [Float]) {
        add(name, .float32, shape: shape, bytes: floats.withUnsafeBytes { Array($0) })
    }

    /// Adds a tensor of another file as it is.
    mutating func add(_ tensor: ExternalTensor) {
        add(tensor.name, tensor.elementType, shape: tensor.shape, bytes: Array(tensor.bytes))
    }

    /// The SHA-256 of the tensors' bytes, in hexadecimal.
    var dataDigest: String {
        let hasher = DigestHasher()
        for bytes in data { bytes.withUnsafeBytes { hasher.update($0) } }
        return hasher.finish().hexadecimal
    }

    /// The file's bytes, in pieces; the header is padded so that the tensors begin on a multiple of 64.
    func pieces(metadata: [String: String]) -> [[UInt8]] {
        enum Value: Encodable {
            case entry(Entry)
            case metadata([String: String])

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                switch self {
                case .entry(let entry): try container.encode(entry)
                case .metadata(let metadata): try container.encode(metadata)
                }
            }
        }
        var values = entries.mapValues(Value.entry)
        values["__metadata__"] = .metadata(metadata)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard var header = try? Array(encoder.encode(values)) else { preconditionFailure("names and numbers are JSON") }
        while (8 + header.count) % 64 != 0 { header.append(UInt8(ascii: " ")) }
        let prefix = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        return [prefix, header] + data
    }
}
