/// What gives images their embeddings while the server runs; the composition makes it of the backfill.
///
/// All functions block, and are called from several threads.
package protocol ImageEmbedder: Sendable {
    /// Embeds an image now, unless it is embedded already.
    func embed(_ image: Int64) throws -> EmbeddingOutcome

    /// Begins a backfill of everybody's images.
    ///
    /// - Returns: `false` where one is running already.
    func startBackfill() throws -> Bool
    /// Asks the backfill to end after the batch in flight.
    func cancelBackfill()
    /// How far the backfill is.
    var backfill: BackfillState { get }

    /// Looks once for what has to be done, and does it: new images, vectors of deleted ones.
    func lookAround()
    /// Why images are not embedded as they should be; `nil` where all is well.
    var trouble: String? { get }
    /// Ends everything; returns when nothing is written any more.
    func stop()
}

/// How an image stands after it was to be embedded.
package enum EmbeddingOutcome: Sendable, Equatable {
    case embedded
    /// Its file gives no picture, or none that the model can take.
    case failed(class: String)
    /// The bot has not completed it.
    case notCompleted
}

/// A backfill that the server runs, ran, or has yet to run.
package struct BackfillState: Sendable, Equatable, Encodable {
    /// Where it is.
    package enum Stage: String, Sendable, Encodable {
        /// None has run since the server started.
        case idle
        case running
        case done
        case cancelled
        case failed
    }

    package var state = Stage.idle
    /// Images that it set out to touch; 0 until they are counted.
    package var total = 0
    package var done = 0
    package var failed = 0
    package var images_per_second = 0.0
    package var seconds_left: Double?
    /// For people: how it ended.
    package var message: String?

    package init() {}
}
