package import Catalog
package import EmbeddingModel
import Vectors

/// Embedding a few images at once, for a program that stays.
extension Backfill {
    /// How an image stands.
    package enum Standing: Sendable {
        case embedded
        case failed(FailureRecord)
        /// The bot has not completed it.
        case notCompleted
        /// No such image is there.
        case gone
    }

    /// Embeds those of some images that need it, on the calling thread, in one batch.
    ///
    /// - Returns: How each stands now.
    package func embed(
        _ ids: [Int64],
        _ encoder: ImageEncoder,
        store: any VectorStore,
        backup: (@Sendable () throws -> String)?,
        observer: Observer
    ) throws -> [Int64: Standing] {
        try store.keepKnownAnswers(of: encoder)
        let decided = try survey(ids, store).filter(\.image.isCompleted).map { surveyed in
            (surveyed, Decision(for: surveyed, publishes: store.isActive, files: files, policy: policy))
        }
        let keeper = keeper(store, total: ids.count, backup, observer)
        let finished = decided.filter { $0.1 == .publish }.map(\.0)
        let pending = decided.filter { $0.1 == .embed }.map(\.0)
        try keeper.publish(finished)
        if !pending.isEmpty { try embed(pending, encoder, keeper, observer) }
        if !finished.isEmpty || !pending.isEmpty { try keeper.finish() }
        let now = try survey(ids, store)
        return Dictionary(uniqueKeysWithValues: ids.map { id in (id, .gone) })
            .merging(now.map { ($0.image.id, Standing($0)) }) { $1 }
    }

    private func survey(_ ids: [Int64], _ store: any VectorStore) throws -> [Catalog.SurveyedImage] {
        try catalog.survey(ids, model: store.space.space.model, space: store.space)
    }

    private func embed(
        _ images: [Catalog.SurveyedImage],
        _ encoder: ImageEncoder,
        _ keeper: Keeper,
        _ observer: Observer
    ) throws {
        let preparation = ImagePreparation(files: files, preprocessing: encoder.preprocessing)
        let pipeline = Pipeline(batchSize: 1, preparedCount: 1, observe: observer.stage)
        let prepared = images.map { surveyed in
            Pipeline.Prepared(
                planned: Pipeline.Planned(
                    image: surveyed.image,
                    isReplacement: surveyed.condition.isReplacement,
                    previousFailure: surveyed.failure,
                    known: nil
                ),
                result: pipeline.timing(.prepare) {
                    Result { () throws(SourceFiles.Fault) in try preparation.prepare(surveyed.image) }
                }
            )
        }
        let stage = ModelStage(encoder: encoder, policy: policy)
        let outcomes = try pipeline.timing(.model) { try stage.embed(prepared) }
        try pipeline.timing(.store) { try keeper.keep(outcomes) }
    }

    /// Images that wait for a vector.
    package struct Due: Sendable {
        /// Their ids, rising; at most a thousand.
        package var images: [Int64] = []
        /// The id up to which nothing waits any more, not for the bot either.
        package var settled: Int64
    }

    private static let mostDue = 1000

    /// Looks for images from an id on that a run would embed or publish now.
    ///
    /// - Parameters:
    ///   - space: The active space; `nil` where there is none yet.
    ///   - mode: The mode that they were sent in; `nil` for every one.
    package func due(
        _ space: StoredSpace?,
        model: String,
        after last: Int64,
        mode: String?
    ) throws -> Due {
        var due = Due(settled: last)
        var isOpen = false
        try catalog.survey(options.scope, model: model, space: space, after: last) { page in
            for surveyed in page {
                let isWanted = surveyed.image.isCompleted && (mode == nil || surveyed.image.mode == mode)
                let decision =
                    isWanted
                    ? Decision(for: surveyed, publishes: true, files: files, policy: policy) : .nothing
                if decision == .embed || decision == .publish { due.images.append(surveyed.image.id) }
                isOpen = isOpen || !surveyed.image.isCompleted || !due.images.isEmpty
                if !isOpen { due.settled = surveyed.image.id }
            }
            return due.images.count < Self.mostDue && !stop.isRaised
        }
        return due
    }
}

extension Backfill.Standing {
    fileprivate init(_ surveyed: Catalog.SurveyedImage) {
        switch surveyed.condition {
        case _ where !surveyed.image.isCompleted: self = .notCompleted
        case .embedded, .unpublished: self = .embedded
        case .pending, .stale: self = surveyed.failure.map { .failed($0) } ?? .notCompleted
        }
    }
}

extension VectorStore {
    /// Keeps what the model gives for the built-in pictures, the first time.
    func keepKnownAnswers(of encoder: ImageEncoder) throws {
        guard try vectors.knownAnswers(of: space) == nil else { return }
        try vectors.keepKnownAnswers(try encoder.answerKnownPictures(), of: space)
    }
}
