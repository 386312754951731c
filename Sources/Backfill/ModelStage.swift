import Catalog
import EmbeddingModel
import Vectors

/// The stage that runs the model, on the thread that owns it.
struct ModelStage {
    let encoder: ImageEncoder
    let policy: FailurePolicy

    /// The most pictures in one call of the model, so that a run can stop within seconds however large its batches.
    static let largestCall = 32

    /// Embeds prepared images.
    ///
    /// - Throws: What is wrong with the model as a whole; what is wrong with one image is a failure of that image.
    func embed(_ images: [Pipeline.Prepared], stop: StopSignal) throws -> Pipeline.Batch {
        var vectors: [NewVector] = []
        var failures: [FailureRecord] = []
        var ready: [(Pipeline.Planned, ImagePreparation.Prepared)] = []
        for image in images {
            switch image.result {
            case .success(let prepared): ready.append((image.planned, prepared))
            case .failure(let fault): failures.append(failure(fault, image.planned))
            }
        }
        for start in stride(from: 0, to: ready.count, by: Self.largestCall) where !stop.isRaised {
            let call = ready[start..<min(start + Self.largestCall, ready.count)]
            for ((planned, prepared), result) in zip(call, try embed(call.map(\.1.tensor))) {
                switch result {
                case .success(let embedding):
                    vectors.append(
                        NewVector(
                            image: planned.image,
                            embedding: embedding,
                            source: prepared.source,
                            isReplacement: planned.isReplacement
                        )
                    )
                case .failure(let defect):
                    let fault = SourceFiles.Fault(
                        kind: .model,
                        message: defect.description,
                        fingerprint: prepared.source.fingerprint
                    )
                    failures.append(failure(fault, planned))
                }
            }
        }
        return .store(vectors, failures)
    }

    /// Where the engine fails on a batch, each picture is tried alone, so that one costs the others nothing.
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

    private func failure(_ fault: SourceFiles.Fault, _ planned: Pipeline.Planned) -> FailureRecord {
        policy.record(fault, image: planned.image, previous: planned.previousFailure)
    }
}
