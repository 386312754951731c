import Backfill
import Catalog
import EmbeddingModel

/// A whole backfill, as `generate` and the server do it: embed what has to be, and let a space that is complete take the
/// place of the active one.
struct LibraryRun {
    let library: WritableLibrary
    let encoder: ImageEncoder
    let backfill: Backfill
    private let settings: Settings
    private let stop: StopSignal

    init(
        _ library: WritableLibrary,
        _ encoder: ImageEncoder,
        _ settings: Settings,
        options: Backfill.Options,
        stop: StopSignal
    ) throws {
        self.library = library
        self.encoder = encoder
        self.settings = settings
        self.stop = stop
        backfill = Backfill(
            catalog: library.catalog,
            files: try settings.files,
            options: options,
            stop: stop,
            now: library.now
        )
    }

    /// What was done.
    struct Outcome {
        let plan: Plan
        let summary: Summary
        /// What became of the change to another space; `nil` where there was none to make.
        let change: SpaceChange?
    }

    /// Does it.
    func perform(_ observer: Backfill.Observer) throws -> Outcome {
        let plan = try backfill.plan(for: encoder.space, queue: library.store.queue)
        var summary = try backfill.run(
            encoder,
            plan: plan,
            store: library.store,
            backup: library.backup,
            observer: observer
        )
        let isOver = library.store.isActive || summary.isInterrupted
        let change = try isOver ? nil : SpaceChange(library.catalog, to: library.store.space, settings)
        if change?.isDue == true {
            summary.published +=
                try backfill.activate(library.store, backup: library.backup, observer: observer).published
        }
        return Outcome(plan: plan, summary: summary, change: change)
    }
}
