import EmbeddingModel
import ImageDecoding
import Synchronization

/// Small copies of pictures, made anew from their pixels: whatever else a file holds, such as where a photograph was taken,
/// stays behind.
final class Thumbnails: Sendable {
    /// How large a copy is.
    enum Size: String {
        case small, large

        /// The pixels of the longer side.
        var longSide: Int { self == .small ? 320 : 1280 }
    }

    private static let quality = 80
    /// How many of the small ones are kept; 20 kB each.
    private static let capacity = 2000

    private let kept = Mutex((files: [String: [UInt8]](), order: [String]()))

    /// The thumbnail of a picture's file.
    ///
    /// - Parameter name: What the file's state is called; another state has another thumbnail.
    func thumbnail(of bytes: [UInt8], _ size: Size, named name: String) throws -> [UInt8] {
        if size == .small, let file = kept.withLock({ $0.files[name] }) { return file }
        let pixels = try ImageDecoder.decode(bytes, shortSide: size.longSide)
        let file = try JPEGEncoder.encode(Preprocessing.fitted(pixels, longSide: size.longSide), quality: Self.quality)
        guard size == .small else { return file }
        kept.withLock { kept in
            guard kept.files.updateValue(file, forKey: name) == nil else { return }
            kept.order.append(name)
            if kept.order.count > Self.capacity { kept.files[kept.order.removeFirst()] = nil }
        }
        return file
    }
}
