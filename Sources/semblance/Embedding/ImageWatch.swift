import Backfill
import Catalog
import Synchronization
import Vectors

/// Notices what the bot does to its database.
///
/// Whether anything was written costs next to nothing to ask. Then the newest images are looked at, at once; all of them,
/// for those that the bot has changed, at most once a minute, and so seldom that it takes a fiftieth of the time.
final class ImageWatch: Sendable {
    private let settings: Settings
    private let policy: AutoEmbedding
    private let stop: StopSignal
    private let state = Mutex(State())

    private struct State {
        var main: (any MainDatabase)?
        var file: FileIdentity?
        var version: Int?
        /// Up to this id nothing waits.
        var settled = Int64.min
        /// Whether there may be more to do than was looked at.
        var isDirty = true
        var isChangedSinceFullLook = true
        var nextFullLook = ContinuousClock.now
        var isChangedSinceSweep = true
        var nextSweep = ContinuousClock.now
    }

    private static let shortest = Duration.seconds(60)
    private static let longest = Duration.seconds(3600)
    private static let share = 50

    init(_ settings: Settings, policy: AutoEmbedding, stop: StopSignal) {
        self.settings = settings
        self.policy = policy
        self.stop = stop
    }

    /// The images that are to be embedded now.
    func dueImages() throws -> [Int64] {
        try state.withLock { state in
            let main = try refresh(&state)
            let now = ContinuousClock.now
            let isFull =
                now >= state.nextFullLook && state.isChangedSinceFullLook || now >= state.nextFullLook + Self.longest
            guard policy != .off, state.isDirty || isFull else { return [] }
            let due = try look(main, after: isFull ? .min : state.settled)
            if isFull {
                state.isChangedSinceFullLook = false
                let took = ContinuousClock.now - now
                state.nextFullLook = now + max(Self.shortest, took * Self.share)
            }
            state.isDirty = !due.images.isEmpty
            state.settled = due.settled
            return due.images
        }
    }

    /// Calls a function where vectors of deleted images are to be looked for; again, as long as that fails.
    func whenSweepIsDue(_ sweep: () throws -> Void) throws {
        try state.withLock { state in
            _ = try refresh(&state)
            guard state.isChangedSinceSweep, ContinuousClock.now >= state.nextSweep else { return }
            try sweep()
            state.isChangedSinceSweep = false
            state.nextSweep = .now + Self.shortest / 2
        }
    }

    private func look(_ main: any MainDatabase, after id: Int64) throws -> Backfill.Due {
        let vectors = try settings.vectors()
        let space = try vectors?.answeringSpace()
        let backfill = Backfill(
            catalog: Catalog(main: main, vectors: vectors),
            files: try settings.files,
            options: .init(scope: .allUsers),
            stop: stop
        )
        return try backfill.due(space, model: space?.space.model ?? settings.model, after: id, mode: policy.mode)
    }

    private func refresh(_ state: inout State) throws -> any MainDatabase {
        let file = try settings.databaseFiles.first.flatMap { FileIdentity(of: $0) }
        var main = state.main
        if main == nil || state.file != file {
            main = try settings.main(patience: LockPatience(limit: .seconds(5)))
            state = State(main: main, file: file)
        }
        guard let main else { throw CommandError(.missingFile, "The bot's database is not there") }
        let version = try main.dataVersion()
        if version != state.version {
            state.version = version
            state.isDirty = true
            state.isChangedSinceFullLook = true
            state.isChangedSinceSweep = true
        }
        return main
    }
}
