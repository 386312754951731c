import Catalog
import Digests
import EmbeddingModel
import ImageDecoding
import Vectors

/// The stage between the database and the model: file → bytes → pixels → tensor; runs on several threads.
struct ImagePreparation: Sendable {
    let files: SourceFiles
    let preprocessing: Preprocessing
    /// Whether a file that was cut off is embedded as far as it goes.
    var allowsTruncated = false

    /// A picture ready for the model.
    struct Prepared: Sendable {
        let tensor: [Float]
        let source: SourceFile
    }

    func prepare(_ image: ImageRecord) throws(SourceFiles.Fault) -> Prepared {
        let content = try files.read(image, limit: ImageLimits.standard.fileBytes)
        try checkSize(of: content)
        do throws(ImageDecodingError) {
            let pixels = try ImageDecoder.decode(
                content.bytes,
                shortSide: preprocessing.decodedShortSide,
                allowsTruncated: allowsTruncated
            )
            let source = SourceFile(
                fingerprint: content.fingerprint,
                digest: SHA256Digest(of: content.bytes).bytes,
                byteCount: content.bytes.count,
                perceptualHash: PerceptualHash(of: pixels)
            )
            return Prepared(tensor: preprocessing.tensor(of: pixels), source: source)
        } catch {
            throw SourceFiles.Fault(error, fingerprint: content.fingerprint)
        }
    }

    /// Opens the file and reads its header alone: the first bytes, or all of them where an EXIF block pushes it back.
    func check(_ image: ImageRecord) throws(SourceFiles.Fault) {
        let limit = ImageLimits.standard.fileBytes
        var content = try files.read(image, limit: 65_536)
        try checkSize(of: content)
        if content.isCut, (try? ImageDecoder.header(of: content.bytes)) == nil {
            content = try files.read(image, limit: limit)
        }
        do throws(ImageDecodingError) {
            _ = try ImageDecoder.header(of: content.bytes)
        } catch {
            throw SourceFiles.Fault(error, fingerprint: content.fingerprint)
        }
    }

    private func checkSize(of content: SourceFiles.Content) throws(SourceFiles.Fault) {
        let limit = ImageLimits.standard.fileBytes
        guard content.fileSize <= limit else {
            let message = "the file has more than \(limit) bytes"
            throw SourceFiles.Fault(kind: .tooLarge, message: message, fingerprint: content.fingerprint)
        }
    }
}
