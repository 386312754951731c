import Synchronization

/// Work in lanes, one for each chat: what belongs to one chat is done one after the other, different chats side by side.
struct Lanes<Item: Sendable>: Sendable {
    /// How many lanes may be in use at once.
    let width: Int
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
                let lanes = busy.lanes
                guard lanes.count < width, let (lane, item) = try await blocking({ try next(lanes) }) else {
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

/// The lanes that are in use.
private final class InUse: Sendable {
    private let set = Mutex(Set<Int64>())

    var lanes: Set<Int64> { self.set.withLock { $0 } }
    func insert(_ lane: Int64) { _ = set.withLock { $0.insert(lane) } }
    func remove(_ lane: Int64) { _ = set.withLock { $0.remove(lane) } }
}
