extension Backfill {
    /// A part of the work that takes time.
    package enum Stage: String, Sendable, CaseIterable {
        /// File → bytes → pixels → tensor, of one picture.
        case prepare = "decode"
        /// One call of the model.
        case model = "inference"
        /// One batch into both databases.
        case store
    }

    /// What a run tells while it works; called from its threads.
    package struct Observer: Sendable {
        /// After each batch.
        package var progress: @Sendable (Progress) -> Void = { _ in }
        /// With the path of the copy of the bot's database, when it was made.
        package var backup: @Sendable (String) -> Void = { _ in }
        /// When vectors of unknown origin were tried.
        package var adoption: @Sendable (Adoption.Trial) -> Void = { _ in }
        /// How long a piece of a stage took.
        package var stage: @Sendable (Stage, Duration) -> Void = { _, _ in }

        package init() {}
    }
}
