package import Catalog
import Vectors

/// Bringing vectors that are ours already to the bot's database.
extension Backfill {
    /// Makes the store's space the active one and brings its vectors, everybody's, to the bot's database.
    ///
    /// A search finds the new space's vectors from the first instant on: what the bot's rows still hold is ours as well.
    package func activate(
        _ store: any VectorStore,
        backup: (@Sendable () throws -> String)?,
        observer: Observer
    ) throws -> Summary {
        let start = ContinuousClock.now
        try store.activate()
        var options = options
        (options.scope, options.limit) = (.allUsers, nil)
        let everybody = Backfill(catalog: catalog, files: files, options: options, stop: stop)
        let plan = try everybody.plan(for: store.space.space)
        let keeper = everybody.keeper(store, total: plan.toPublish, backup, observer)
        try everybody.publish(store.space.space, keeper)
        try keeper.finish()
        return everybody.summary(of: keeper, since: start)
    }

    /// The images of one transaction that only publishes: milliseconds of the bot's lock.
    private static let publicationSize = 100

    func publish(_ space: EmbeddingSpace, _ keeper: Keeper) throws {
        var batch: [Catalog.SurveyedImage] = []
        try visit(space) { surveyed, decision in
            if decision == .publish { batch.append(surveyed) }
            if batch.count >= Self.publicationSize {
                try keeper.publish(batch)
                batch = []
            }
            return !stop.isRaised
        }
        try keeper.publish(batch)
    }
}
