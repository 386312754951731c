import EmbeddingModel
import ImageDecoding
import Synchronization

/// Small copies of pictures, made anew from their pixels: whatever else a file holds, such as where a photograph was taken,
/// stays behind.
final class Thumbnails: Sendable {
    /// The pixels of the longer side.
    private static let longSide = 320
    private static let quality = 80
    /// How many are kept; 20 kB each.
    private static let capacity = 2000

    private let kept = Mutex((files: [String: [UInt8]](), order: [String]()))

    /// The thumbnail of a picture's file.
    ///
    /// - Parameter name: What the file's state is called; another state has another thumbnail.
    func thumbnail(of bytes: [UInt8], named name: String) throws -> [UInt8] {
        if let file = kept.withLock({ $0.files[name] }) { return file }
        let pixels = try ImageDecoder.decode(bytes, shortSide: Self.longSide)
        let file = try JPEGEncoder.encode(Preprocessing.fitted(pixels, longSide: Self.longSide), quality: Self.quality)
        kept.withLock { kept in
            guard kept.files.updateValue(file, forKey: name) == nil else { return }
            kept.order.append(name)
            if kept.order.count > Self.capacity { kept.files[kept.order.removeFirst()] = nil }
        }
        return file
    }
}
