import Backfill
import Catalog
import Dispatch
import EmbeddingModel
import HTTPServer
import Synchronization

/// The backfill that a server runs on behalf of its owner, one at a time.
final class BackfillJob: Sendable {
    private let settings: Settings
    private let models: LoadedModels
    private let lock: SharedRunLock
    private let stage: @Sendable (Backfill.Stage, Duration) -> Void
    private let current = Mutex(Current())
    private let running = DispatchGroup()

    private struct Current {
        var state = BackfillState()
        var stop = StopSignal()
        var lastProgress = ContinuousClock.now
    }

    init(
        _ settings: Settings,
        _ models: LoadedModels,
        lock: SharedRunLock,
        stage: @escaping @Sendable (Backfill.Stage, Duration) -> Void
    ) {
        self.settings = settings
        self.models = models
        self.lock = lock
        self.stage = stage
    }

    /// How far it is.
    var state: BackfillState { current.withLock { $0.state } }

    /// How long it has been running without any progress.
    var silence: Duration? {
        current.withLock { $0.state.state == .running ? ContinuousClock.now - $0.lastProgress : nil }
    }

    /// Begins.
    ///
    /// - Returns: `false` where one is running already.
    /// - Throws: `.locked` where another process embeds.
    func start() throws -> Bool {
        try lock.acquire()
        let stop: StopSignal? = current.withLock { current in
            guard current.state.state != .running else { return nil }
            current = Current()
            current.state.state = .running
            return current.stop
        }
        guard let stop else {
            lock.release()
            return false
        }
        DispatchQueue.global().async(group: running) { [self] in
            let ended = Result { try run(stop) }
            current.withLock { $0.state.end(ended) }
            lock.release()
        }
        return true
    }

    /// Asks it to end after the batch in flight.
    func cancel() { current.withLock { $0.stop }.raise() }

    /// Waits for its end.
    func wait() { running.wait() }

    private func run(_ stop: StopSignal) throws -> LibraryRun.Outcome {
        let encoder = try models.wanted()
        let library =
            try settings.server(stop: stop).map { try WritableLibrary($0, for: encoder.space, shares: true) }
            ?? WritableLibrary(
                settings,
                for: encoder.space,
                patience: LockPatience(shortenedBy: stop, to: .seconds(2)),
                checks: true
            )
        defer { try? library.store.queue?.close() }
        var options = Backfill.Options(scope: .allUsers)
        options.modelThreads = settings.threads
        let run = try LibraryRun(library, encoder, settings, options: options, stop: stop)
        var observer = Backfill.Observer.announcing(stage: stage)
        observer.progress = { [self] progress in
            current.withLock { current in
                current.state.show(progress)
                current.lastProgress = .now
            }
        }
        return try run.perform(observer)
    }
}

extension BackfillState {
    fileprivate mutating func show(_ progress: Progress) {
        total = progress.total
        done = progress.done
        failed = progress.failed
        images_per_second = Counts.rounded(progress.rate)
        seconds_left = progress.secondsLeft.map(Counts.rounded)
    }

    fileprivate mutating func end(_ result: Result<LibraryRun.Outcome, any Error>) {
        images_per_second = 0
        seconds_left = nil
        switch result {
        case .success(let outcome):
            let summary = outcome.summary
            state = summary.isInterrupted ? .cancelled : .done
            let failures = Counts.parenthesised(summary.failed)
            message = "\(Counts.images(summary.written)) embedded, \(summary.failedTotal) failed\(failures)"
        case .failure(let error):
            Console.say("The backfill ended: \(error)")
            state = .failed
            message = "It ended early; the server's log says why."
        }
    }
}
