import Catalog
import EmbeddingModel
import Vectors

/// The stage that runs the model, on each of its threads.
struct ModelStage: Sendable {
    let encoder: ImageEncoder
    let policy: FailurePolicy

    /// Embeds prepared images in one call of the model.
    ///
    /// - Throws: What is wrong with the model as a whole; what is wrong with one image is a failure of that image.
    func embed(_ images: [Pipeline.Prepared]) throws -> [Pipeline.Outcome] {
        var outcomes: [Pipeline.Outcome] = []
        var ready: [(Pipeline.Planned, ImagePreparation.Prepared)] = []
        for image in images {
            switch image.result {
            case .failure(let fault): outcomes.append(failure(fault, image.planned))
            case .success(let prepared):
                if let known = image.planned.known,
                    known.sourceDigest ?? prepared.source.digest == prepared.source.digest
                {
                    outcomes.append(vector(known.embedding, known.origin, image.planned, prepared))
                } else {
                    ready.append((image.planned, prepared))
                }
            }
        }
        for ((planned, prepared), result) in zip(ready, try embed(ready.map(\.1.tensor))) {
            switch result {
            case .success(let embedding):
                outcomes.append(vector(embedding, planned.isReplacement ? .replacement : .new, planned, prepared))
            case .failure(let defect):
                let fingerprint = prepared.source.fingerprint
                let fault = SourceFiles.Fault(kind: .model, message: defect.description, fingerprint: fingerprint)
                outcomes.append(failure(fault, planned))
            }
        }
        return outcomes
    }

    private func vector(
        _ embedding: Embedding,
        _ origin: NewVector.Origin,
        _ planned: Pipeline.Planned,
        _ prepared: ImagePreparation.Prepared
    ) -> Pipeline.Outcome {
        .embedded(NewVector(image: planned.image, embedding: embedding, source: prepared.source, origin: origin))
    }

    /// Where the engine fails on several pictures, each is tried alone, so that one costs the others nothing.
    private func embed(_ tensors: [[Float]]) throws -> [Result<Embedding, EmbeddingDefect>] {
        do {
            return try encoder.embed(tensors)
        } catch {
            guard tensors.count > 1 else { throw error }
            let alone = tensors.map { tensor in (try? encoder.embed([tensor]))?.first }
            guard alone.contains(where: { $0 != nil }) else { throw error }
            return alone.map { $0 ?? .failure(.empty) }
        }
    }

    private func failure(_ fault: SourceFiles.Fault, _ planned: Pipeline.Planned) -> Pipeline.Outcome {
        .failed(policy.record(fault, image: planned.image, previous: planned.previousFailure))
    }
}
