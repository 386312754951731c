import Catalog
import ServiceLifecycle
import Synchronization
import Vectors

/// Looks again and again at what the server stands on, so that `/health` answers at once whatever the databases do.
///
/// Two looks of their own, since one may hang for long: the quick one counts rows, the thorough one every image's state.
package final class HealthMonitor: Service {
    private let library: AnswerLibrary
    private let state = Mutex(State())
    private let started = ContinuousClock.now

    private struct State {
        var database: Look<Health.Rows>?
        var statistics: Look<Statistics>?
        var space: Look<Health.Space>?
        var workers: Workers.State?
        /// Whether the model answers as it did; `nil` before it was asked.
        var isModelTrue: Bool?
        /// How the databases stood at the last thorough look.
        var versions: [Int] = []
    }

    /// What was seen, and when.
    private struct Look<Seen: Sendable>: Sendable {
        let seen: Result<Seen, any Error>
        let at = ContinuousClock.now
    }

    private let embedder: any ImageEmbedder
    private let patience: Duration
    private let companion: Companion?

    /// - Parameter patience: After so long without an answer the database counts as not answering.
    package init(
        _ library: AnswerLibrary,
        _ embedder: any ImageEmbedder,
        companion: Companion? = nil,
        patience: Duration = .seconds(10)
    ) {
        self.companion = companion
        self.library = library
        self.embedder = embedder
        self.patience = patience
    }

    /// Looks until the server stops.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.repeatedly(every: .seconds(2)) { self.lookQuickly() } }
            group.addTask { try await self.repeatedly(every: .seconds(10)) { self.lookThoroughly() } }
            group.addTask { try await self.repeatedly(every: .seconds(600)) { self.askModel() } }
            try await group.waitForAll()
        }
    }

    private func repeatedly(every pause: Duration, _ look: @escaping @Sendable () -> Void) async throws {
        let work = BlockingWork(width: 1)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let start = ContinuousClock.now
                try? await work.run(look)
                // What takes long is done less often, but never forgotten: a lock that was waited for may be gone.
                let took = ContinuousClock.now - start
                try? await Task.sleep(for: min(max(pause, took * 5), pause * 5))
            }
        }
    }

    /// Looks once at everything.
    package func look() {
        lookQuickly()
        lookThoroughly()
    }

    private func lookQuickly() {
        let rows = Result { () throws -> Health.Rows in
            let main = try library.catalog().main
            return Health.Rows(
                users: try main.count("users") ?? 0,
                chats: try main.count("chats") ?? 0,
                images: try main.count("images") ?? 0
            )
        }
        let space = Result { () throws -> Health.Space in try Health.Space(library) }
        state.withLock { $0.database = Look(seen: rows) }
        state.withLock { $0.space = Look(seen: space) }
        let workers = try? library.sources.workers?()
        state.withLock { $0.workers = workers }
    }

    private func lookThoroughly() {
        let versions = (try? library.versions()) ?? []
        let (known, last) = state.withLock { ($0.versions, $0.statistics?.at) }
        let isRecent = last.map { ContinuousClock.now - $0 < Self.longestPause } ?? false
        guard versions.isEmpty || versions != known || !isRecent else { return }
        try? library.synchronise()
        let statistics = Result { () throws -> Statistics in try library.statistics(.allUsers).statistics }
        state.withLock { state in
            state.statistics = Look(seen: statistics)
            state.versions = versions
        }
    }

    /// Files come and go without a word in any database.
    private static let longestPause = Duration.seconds(300)

    /// Has the model embed pictures whose vectors are known.
    private func askModel() {
        let isTrue = try? library.isModelTrue()
        state.withLock { $0.isModelTrue = isTrue }
    }

    /// What `/health` says now.
    func health(version: String) -> Health {
        let now = ContinuousClock.now
        let (database, statistics, space, isModelTrue) = state.withLock {
            ($0.database, $0.statistics, $0.space, $0.isModelTrue)
        }
        let age = database.map { now - $0.at }
        return Health(
            version: version,
            uptime: (now - started) / .seconds(1),
            age: (age ?? (now - started)) / .seconds(1),
            isAnswering: (age ?? (now - started)) < patience,
            rows: database.map(\.seen),
            statistics: statistics.map(\.seen),
            space: space.map(\.seen),
            isModelTrue: isModelTrue,
            trouble: embedder.trouble,
            companion: companion.map { [$0.name: $0.state()] } ?? [:]
        )
    }

    /// The images as they were counted last.
    var statistics: Statistics? { try? state.withLock { $0.statistics }?.seen.get() }

    /// The images by state as they were counted last, in Prometheus' text format.
    var metrics: String {
        guard let counted = statistics else { return "" }
        let states = [
            ("embedded", counted.embedded), ("pending", counted.pending), ("stale", counted.staleTotal),
            ("unpublished", counted.unpublished), ("unreachable", counted.unreachable),
            ("failed", counted.failureTotal),
        ]
        return "# TYPE semblance_images gauge\n"
            + states.map { #"semblance_images{state="\#($0)"} \#($1)"# + "\n" }.joined()
            + "# TYPE semblance_failures gauge\n"
            + FailureRecord.Class.allCases.map { kind in
                #"semblance_failures{class="\#(kind.rawValue)"} \#(counted.failures[kind] ?? 0)"# + "\n"
            }.joined() + work
    }

    /// What is left to do and who does it, where any number of programs may.
    private var work: String {
        guard let workers = state.withLock({ $0.workers }) else { return "" }
        return """
            # TYPE semblance_workers gauge
            semblance_workers \(workers.workers.count)
            # TYPE semblance_work gauge
            semblance_work{state="waiting"} \(workers.waiting)
            semblance_work{state="claimed"} \(workers.claimed)

            """
    }
}
