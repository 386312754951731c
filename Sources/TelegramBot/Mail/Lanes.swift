import Synchronization

/// Work in lanes, one for each chat: what belongs to one chat is done one after the other, different chats side by side.
struct Lanes<Item: Sendable>: Sendable {
    /// How many lanes may be in use at once; work that hangs does not count.
    let width: Int
    /// After so long work hangs.
    var patience = Duration.seconds(3600)
    /// Gives what is next, in a lane that is free.
    let next: @Sendable (_ busy: Set<Int64>) throws -> (lane: Int64, item: Item)?
    /// Does it; errors end all lanes.
    let work: @Sendable (Item) async throws -> Void

    private static var whenIdle: Duration { .milliseconds(200) }
    private static var whenBusy: Duration { .milliseconds(20) }

    /// Works until it is cancelled, or something throws.
    func run() async throws {
        let busy = InUse()
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let (lanes, count) = busy.look(patience)
                guard count < width, let (lane, item) = try await blocking({ try next(lanes) }) else {
                    try? await Task.sleep(for: lanes.isEmpty ? Self.whenIdle : Self.whenBusy)
                    continue
                }
                busy.insert(lane)
                group.addTask {
                    defer { busy.remove(lane) }
                    try await work(item)
                }
            }
            group.cancelAll()
        }
    }
}

/// The lanes that are in use, and since when.
private final class InUse: Sendable {
    private let starts = Mutex([Int64: ContinuousClock.Instant]())

    /// All of them, and how many not for so long.
    func look(_ patience: Duration) -> (lanes: Set<Int64>, count: Int) {
        let now = ContinuousClock.now
        return starts.withLock { starts in (Set(starts.keys), starts.values.count { now - $0 < patience }) }
    }

    func insert(_ lane: Int64) { starts.withLock { $0[lane] = .now } }
    func remove(_ lane: Int64) { starts.withLock { $0[lane] = nil } }
}
