import Catalog
import EmbeddingModel
import Vectors

/// Taking over vectors that another program wrote into the bot's database under the model's name, such as Python's
/// sentence-transformers.
///
/// The label proves nothing: a sample is computed anew, and only where all of it agrees is anything taken over. Whatever
/// is taken over has a file that was read, so that its provenance is as complete as that of any other vector.
package struct Adoption: Sendable {
    /// How the sample came out.
    package struct Trial: Sendable {
        /// Vectors that could be taken over.
        package let candidates: Int
        /// How many were computed anew.
        package let sampled: Int
        /// The smallest cosine between what was found and what was computed.
        package let worst: Float
        /// Whether they are taken over.
        package var isPassed: Bool { sampled >= 2 && worst >= Adoption.leastCosine }
    }

    private static let sampleSize = 16
    private static let leastCosine: Float = 0.99

    private let space: EmbeddingSpace

    /// Tries a sample.
    ///
    /// - Parameter report: Gets the outcome where there was anything to try.
    /// - Returns: `nil` where nothing is to be taken over. Vectors of another precision would be of another space.
    init?(_ backfill: Backfill, _ encoder: ImageEncoder, report: (Trial) -> Void) throws {
        guard encoder.precision == .float32 else { return nil }
        space = encoder.space
        var candidates: [ImageRecord] = []
        var count = 0
        var stride = 1
        try backfill.visit(encoder.space) { [space] surveyed, decision in
            guard decision == .embed, Self.embedding(in: surveyed, space) != nil else { return !backfill.stop.isRaised }
            if count % stride == 0 { candidates.append(surveyed.image) }
            count += 1
            if candidates.count == 2 * Self.sampleSize {
                candidates = (0..<Self.sampleSize).map { candidates[2 * $0] }
                stride *= 2
            }
            return !backfill.stop.isRaised
        }
        guard count > 0 else { return nil }
        let preparation = ImagePreparation(files: backfill.files, preprocessing: encoder.preprocessing)
        var cosines: [Float] = []
        for image in candidates {
            guard let prepared = try? preparation.prepare(image), let found = Self.embedding(of: image, space),
                case .success(let computed) = try encoder.embed([prepared.tensor])[0]
            else { continue }
            cosines.append(computed.cosine(to: found))
        }
        let trial = Trial(candidates: count, sampled: cosines.count, worst: cosines.min() ?? -1)
        report(trial)
        guard trial.isPassed else { return nil }
    }

    /// The vector that is taken over for an image.
    func vector(of surveyed: Catalog.SurveyedImage) -> Pipeline.KnownVector? {
        Self.embedding(in: surveyed, space)
            .map { Pipeline.KnownVector(embedding: $0, sourceDigest: nil, origin: .adopted) }
    }

    /// Where our database has a vector for the image, what is found instead was written over it, and is not trusted.
    private static func embedding(in surveyed: Catalog.SurveyedImage, _ space: EmbeddingSpace) -> Embedding? {
        guard surveyed.condition == .stale(.unknownOrigin), !surveyed.isMarked else { return nil }
        return embedding(of: surveyed.image, space)
    }

    /// What the bot's row holds, scaled to unit length, where it is a vector of the model's by its label and dimension.
    private static func embedding(of image: ImageRecord, _ space: EmbeddingSpace) -> Embedding? {
        guard image.label == space.model, case .blob(let bytes) = image.stored else { return nil }
        switch EmbeddingBlob.read(bytes) {
        case .embedding(let embedding) where embedding.dimension == space.dimension: return embedding
        case .notUnitLength(let embedding) where embedding.dimension == space.dimension: return embedding
        default: return nil
        }
    }
}
