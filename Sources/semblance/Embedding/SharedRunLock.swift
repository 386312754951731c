import Catalog
import Synchronization
import SystemPackage

/// The run's lock, shared by the threads of this process: held while any of them embeds.
final class SharedRunLock: Sendable {
    private let database: FilePath?
    private let state = Mutex<(holders: Int, lock: RunLock?)>((0, nil))

    /// - Parameter database: `nil` where there is nothing to lock, since a server keeps writers apart.
    init(beside database: FilePath?) { self.database = database }

    /// Takes the lock, or joins those who have it.
    ///
    /// - Returns: Whether nobody of this process had it.
    /// - Throws: `.locked` where another process has it.
    @discardableResult
    func acquire() throws -> Bool {
        try state.withLock { state in
            if state.holders == 0 { state.lock = try database.map { try RunLock(beside: $0) } }
            state.holders += 1
            return state.holders == 1
        }
    }

    /// Gives it back; the last one lets other processes in.
    func release() {
        state.withLock { state in
            state.holders -= 1
            if state.holders == 0 { state.lock = nil }
        }
    }

    /// Does something with the lock held.
    ///
    /// - Parameter work: Is told whether another process may have written since.
    func holding<Value>(_ work: (_ isFresh: Bool) throws -> Value) throws -> Value {
        let isFresh = try acquire()
        defer { release() }
        return try work(isFresh)
    }
}
