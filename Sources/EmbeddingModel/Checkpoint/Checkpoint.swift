import Digests
import FoundationEssentials
import Inference
import SystemPackage

/// The weights of a model: a safetensors file, mapped.
///
/// The format: 8 bytes, the header's length, little endian; the header, a JSON object
/// `{name: {dtype, shape, data_offsets: [begin, end]}}`; then the data, from whose beginning the offsets count. Every
/// length is checked against the file before it is believed.
struct Checkpoint {
    private let file: MappedFile
    private let path: FilePath
    private let tensors: [String: Tensor]
    /// The SHA-256 of the file, in hexadecimal.
    let digest: String

    private struct Tensor: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private enum Entry: Decodable {
        case tensor(Tensor)
        case metadata

        init(from decoder: any Decoder) throws {
            self = (try? Tensor(from: decoder)).map(Entry.tensor) ?? .metadata
        }
    }

    /// What keeps the weights' memory where it is.
    var owner: AnyObject { file }

    /// Maps a safetensors file and reads its header.
    init(_ path: FilePath) throws(EmbeddingModelError) {
        file = try MappedFile(path)
        self.path = path
        guard file.bytes.count >= 8 else { throw Self.torn(path) }
        let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(min(file.bytes.count - 8, 100 << 20)) else { throw Self.torn(path) }
        let header = Data(file.bytes[8..<(8 + Int(length))])
        guard let entries = try? JSONDecoder().decode([String: Entry].self, from: header) else {
            throw EmbeddingModelError(.damaged, "\(path) has no readable safetensors header")
        }
        var tensors: [String: Tensor] = [:]
        for case (let name, .tensor(let tensor)) in entries { tensors[name] = tensor }
        self.tensors = tensors
        dataOffset = 8 + Int(length)
        digest = file.digest.hexadecimal
    }

    private let dataOffset: Int

    private static func torn(_ path: FilePath) -> EmbeddingModelError {
        EmbeddingModelError(.damaged, "\(path) is shorter than its header says; fetch it again")
    }

    /// The shape of a tensor.
    func shape(of name: String) throws(EmbeddingModelError) -> [Int] {
        guard let tensor = tensors[name] else {
            throw EmbeddingModelError(.damaged, "\(path) has no tensor \(name): is it the weights of another model?")
        }
        return tensor.shape
    }

    /// A tensor's bytes in the mapped file.
    ///
    /// - Throws: `.damaged` where it is missing, has another shape, another type than float32 or float16, or lies
    ///   outside the file.
    func tensor(_ name: String, shape expected: [Int]) throws(EmbeddingModelError) -> ExternalTensor {
        guard try shape(of: name) == expected, let tensor = tensors[name] else {
            throw EmbeddingModelError(.damaged, "\(path): tensor \(name) has not the shape \(expected)")
        }
        guard let type: ElementType = ["F32": .float32, "F16": .float16][tensor.dtype] else {
            throw EmbeddingModelError(.damaged, "\(path): tensor \(name) is \(tensor.dtype), not float32 or float16")
        }
        let (count, overflow) = expected.reduce((type.byteCount, false)) { product, side in
            let (value, overflow) = product.0.multipliedReportingOverflow(by: side)
            return (value, product.1 || overflow)
        }
        let available = file.bytes.count - dataOffset
        guard !overflow, tensor.data_offsets.count == 2, let begin = tensor.data_offsets.first, begin >= 0,
            begin <= available, count <= available - begin, tensor.data_offsets[1] == begin + count
        else { throw Self.torn(path) }
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[(dataOffset + begin)..<(dataOffset + begin + count)])
        return ExternalTensor(name: name, elementType: type, shape: expected, bytes: bytes)
    }
}
