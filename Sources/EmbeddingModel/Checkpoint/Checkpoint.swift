import Digests
import FoundationEssentials
import Inference
import SystemPackage

/// The weights of a model: a safetensors file, mapped.
///
/// The format: 8 bytes, the header's length, little endian; the header, a JSON object
/// `{name: {dtype, shape, data_offsets: [begin, end]}}`; then the data, from whose beginning the offsets count. Every
/// length is checked against the file before it is believed.
struct Checkpoint: Sendable {
    private let file: MappedFile
    private let path: FilePath
    private let tensors: [String: Tensor]
    /// What the header says besides the tensors.
    let metadata: [String: String]

    private struct Tensor: Decodable, Sendable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private enum Entry: Decodable {
        case tensor(Tensor)
        case metadata([String: String])

        init(from decoder: any Decoder) throws {
            self =
                (try? Tensor(from: decoder)).map(Entry.tensor) ?? .metadata((try? .init(from: decoder)) ?? [:])
        }
    }

    /// What keeps the weights' memory where it is.
    var owner: any AnyObject & Sendable { file }

    /// Maps a safetensors file and reads its header.
    init(_ path: FilePath) throws(EmbeddingModelError) {
        try self.init(MappedFile(path), named: path)
    }

    /// Reads the header of what is in memory.
    init(_ file: MappedFile, named path: FilePath) throws(EmbeddingModelError) {
        self.file = file
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
        if case .metadata(let metadata)? = entries["__metadata__"] { self.metadata = metadata } else { metadata = [:] }
        dataOffset = 8 + Int(length)
    }

    private let dataOffset: Int

    /// The SHA-256 of the whole file, in hexadecimal.
    var digest: String { file.digest(of: 0..<file.bytes.count).hexadecimal }

    /// The SHA-256 of all tensors' bytes as they lie in the file, in hexadecimal.
    var dataDigest: String { file.digest(of: dataOffset..<file.bytes.count).hexadecimal }

    /// Gives back the memory of the file's pages; those that are read again come back from the page cache.
    func releasePages() { file.release(0..<file.bytes.count) }

    /// Whether there is a tensor of this name.
    func has(_ name: String) -> Bool { tensors[name] != nil }

    /// The names of all tensors that begin so, in their order.
    func names(with prefix: String) -> [String] { tensors.keys.filter { $0.hasPrefix(prefix) }.sorted() }

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
    /// - Throws: `.damaged` where it is missing, has another shape or none of the given types, or lies outside the file.
    func tensor(
        _ name: String,
        shape expected: [Int],
        types: [ElementType] = [.float32, .float16]
    ) throws(EmbeddingModelError) -> ExternalTensor {
        guard try shape(of: name) == expected, let tensor = tensors[name] else {
            throw EmbeddingModelError(.damaged, "\(path): tensor \(name) has not the shape \(expected)")
        }
        guard let type = ElementType(safetensors: tensor.dtype), types.contains(type) else {
            let wanted = types.map { "\($0)" }.joined(separator: " or ")
            throw EmbeddingModelError(.damaged, "\(path): tensor \(name) is \(tensor.dtype), not \(wanted)")
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

extension ElementType {
    /// The type that a safetensors header names; `nil` for one that is not used here.
    init?(safetensors name: String) {
        guard let type = [Self.float32, .float16, .int8].first(where: { $0.safetensors == name }) else { return nil }
        self = type
    }

    /// What a safetensors header calls the type.
    var safetensors: String {
        switch self {
        case .float32: "F32"
        case .float16: "F16"
        case .int8: "I8"
        }
    }
}

extension ExternalTensor {
    /// A number of the tensor, widened to float32.
    func float(at index: Int) -> Float {
        switch elementType {
        case .float32: Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        case .float16: Float(Float16(bitPattern: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        case .int8: Float(Int8(bitPattern: bytes[index]))
        }
    }

    /// All numbers of the tensor, widened to float32.
    var floats: [Float] { (0..<shape.reduce(1, *)).map(float(at:)) }
}
