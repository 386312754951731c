import GRDB
import Glibc
import Synchronization

/// How long, and how politely, to wait for a lock that another program holds.
///
/// SQLite asks again and again; between two answers there is a random pause, so that two waiting programs do not keep
/// meeting. A wait can be shortened from another thread when the user wants to stop.
package final class LockPatience: Sendable {
    private let announcement: @Sendable () -> Void
    private let state: Mutex<State>

    private struct State {
        var limit: Duration
        var since = ContinuousClock.now
        var isAnnounced = false
    }

    /// - Parameters:
    ///   - limit: When to give up.
    ///   - announcement: Called once per wait that lasts longer than two seconds.
    package init(limit: Duration = .seconds(30), announcement: @escaping @Sendable () -> Void = {}) {
        state = Mutex(State(limit: limit))
        self.announcement = announcement
    }

    /// Gives up sooner from now on, also in a wait under way.
    package func shorten(to limit: Duration) { state.withLock { $0.limit = limit } }

    /// What SQLite calls when it meets a lock.
    var busyMode: Database.BusyMode {
        .callback { [self] tries in waitAgain(tries: tries) }
    }

    private func waitAgain(tries: Int) -> Bool {
        let (isOver, isNews) = state.withLock { state in
            if tries == 0 {
                state.since = .now
                state.isAnnounced = false
            }
            let waited = ContinuousClock.now - state.since
            let isNews = waited > .seconds(2) && !state.isAnnounced
            if isNews { state.isAnnounced = true }
            return (waited > state.limit, isNews)
        }
        guard !isOver else { return false }
        if isNews { announcement() }
        usleep(.random(in: 2_000...30_000))
        return true
    }
}
