import Backfill
import Catalog
import Vectors

/// Whether another space may take the place of the active one, and what is told about it.
struct SpaceChange {
    /// Whether it has a vector of everything that can be embedded.
    let isDue: Bool
    /// For people.
    let announcement: String

    /// Looks at all images, whoever's were embedded last.
    ///
    /// What has no file, or a file that gives no picture, cannot be embedded. What only the model failed on does not count
    /// as such: a bad model does not take the place of a good one by itself.
    init(_ catalog: Catalog, to space: StoredSpace, _ settings: Settings) throws {
        let files = try settings.files
        let statistics = try catalog.statistics(
            .allUsers,
            model: space.space.model,
            space: space,
            isReachable: files.isReachable
        )
        let have = statistics.embedded
        let impossible = statistics.unreachable + statistics.failureTotal - (statistics.failures[.model] ?? 0)
        isDue = have > 0 && have + impossible >= statistics.total
        let old = try catalog.vectors?.activeSpace()?.space
        let former = old.map { $0.model == space.space.model ? "its former space" : $0.model } ?? "nothing"
        let count = Counts.images(have)
        announcement =
            isDue
            ? "All that can be embedded is: answers come from \(space.space.model) from now on (\(count)), no longer from "
                + "\(former). semblance space rollback goes back, semblance space purge gives the disk space free."
            : "Answers still come from \(former): \(space.space.model) has \(have) of the \(statistics.total - impossible) "
                + "images that can be embedded. semblance space activate \(space.id) changes over all the same."
    }
}
