import Catalog
import Digests
import EmbeddingModel
import ImageDecoding

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
        let limits = ImageLimits.standard
        let content = try files.read(image, limit: limits.fileBytes)
        guard !content.isCut else {
            let message = "the file has more than \(limits.fileBytes) bytes"
            throw SourceFiles.Fault(kind: .tooLarge, message: message, fingerprint: content.fingerprint)
        }
        do throws(ImageDecodingError) {
            let pixels = try ImageDecoder.decode(
                content.bytes,
                shortSide: preprocessing.decodedShortSide,
                allowsTruncated: allowsTruncated
            )
            let digest = SHA256Digest(of: content.bytes)
            let source = SourceFile(fingerprint: content.fingerprint, digest: digest.bytes)
            return Prepared(tensor: preprocessing.tensor(of: pixels), source: source)
        } catch {
            throw SourceFiles.Fault(error, fingerprint: content.fingerprint)
        }
    }

    /// Opens the file and reads its header alone.
    func check(_ image: ImageRecord) throws(SourceFiles.Fault) {
        let headLength = 65_536
        var content = try files.read(image, limit: headLength)
        do throws(ImageDecodingError) {
            _ = try ImageDecoder.header(of: content.bytes)
            return
        } catch  where !content.isCut {
            throw SourceFiles.Fault(error, fingerprint: content.fingerprint)
        } catch {}
        content = try files.read(image, limit: ImageLimits.standard.fileBytes + 1)
        do throws(ImageDecodingError) {
            _ = try ImageDecoder.header(of: content.bytes)
        } catch {
            throw SourceFiles.Fault(error, fingerprint: content.fingerprint)
        }
    }
}
