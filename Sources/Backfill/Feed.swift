import Catalog
import Glibc
import Vectors

/// The first stage of a run: where its images come from.
extension Backfill {
    /// The first stage: pages through the images and hands on what is to be done.
    func feed(_ pipeline: Pipeline, _ space: EmbeddingSpace, _ adoption: Adoption?) {
        var rest = options.limit ?? .max
        do {
            try visit(space) { surveyed, decision in
                guard rest > 0, !stop.isRaised else { return false }
                guard decision == .embed || decision == .describe else { return true }
                rest -= 1
                return pipeline.planned.push(Self.planned(surveyed, adoption))
            }
        } catch {
            pipeline.fail(error)
        }
        pipeline.planned.close()
    }

    /// The same for one of several programs: claims images, looks at them again, and hands on what still needs a vector.
    func feed(_ pipeline: Pipeline, from queue: WorkQueue, _ space: EmbeddingSpace, _ adoption: Adoption?) {
        var rest = options.limit ?? .max
        do {
            let stored = try catalog.vectors?.stored(space)
            claiming: while rest > 0, !stop.isRaised, pipeline.fault == nil {
                switch try queue.claim() {
                case .over: break claiming
                case .wait:
                    pipeline.outcomes.push(.flush)
                    pause(while: queue)
                case .unplanned: _ = try plan(for: space, queue: queue)
                case .images(let ids):
                    let needed = try catalog.survey(ids, model: space.model, space: stored).filter(Self.isNeeded)
                    try queue.drop(Array(Set(ids).subtracting(needed.map(\.image.id))))
                    for surveyed in needed.prefix(rest) {
                        guard pipeline.planned.push(Self.planned(surveyed, adoption)) else { break claiming }
                    }
                    rest -= min(rest, needed.count)
                }
            }
        } catch {
            pipeline.fail(error)
        }
        pipeline.planned.close()
    }

    /// Whether an image that somebody offered needs a vector after all; whoever offered it has looked at its failures.
    private static func isNeeded(_ surveyed: Catalog.SurveyedImage) -> Bool {
        guard surveyed.image.isCompleted else { return false }
        switch surveyed.condition {
        case .pending, .stale: return true
        case .embedded, .unpublished: return surveyed.undescribedSource != nil
        }
    }

    /// Waits for other programs, a little more than a second: less where what is held here is written sooner.
    private func pause(while queue: WorkQueue) {
        let isBusy = queue.heldCount > 0
        let end = ContinuousClock.now + .seconds(.random(in: 1...1.5))
        while ContinuousClock.now < end, !stop.isRaised, !isBusy || queue.heldCount > 0 { usleep(10_000) }
    }

    private static func planned(_ surveyed: Catalog.SurveyedImage, _ adoption: Adoption?) -> Pipeline.Planned {
        Pipeline.Planned(
            image: surveyed.image,
            isReplacement: surveyed.condition.isReplacement,
            previousFailure: surveyed.failure,
            known: adoption?.vector(of: surveyed) ?? described(surveyed)
        )
    }

    /// The vector in the bot's row, where it is ours and its file has to be looked at again.
    private static func described(_ surveyed: Catalog.SurveyedImage) -> Pipeline.KnownVector? {
        guard surveyed.condition == .embedded, let digest = surveyed.undescribedSource,
            case .blob(let bytes) = surveyed.image.stored,
            case .embedding(let embedding) = EmbeddingBlob.read(bytes)
        else { return nil }
        return Pipeline.KnownVector(embedding: embedding, sourceDigest: digest, origin: .described)
    }
}
