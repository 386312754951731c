import Synchronization

/// A request to stop soon: the batch in flight is finished, nothing new is begun.
package final class StopSignal: Sendable {
    private let state = Mutex((isRaised: false, actions: [@Sendable () -> Void]()))

    package init() {}

    /// Whether the request was made.
    package var isRaised: Bool { state.withLock { $0.isRaised } }

    /// Makes the request; further calls change nothing.
    package func raise() {
        let actions = state.withLock { state in
            state.isRaised = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Runs something when the request is made, at once where it was made already.
    package func onRaise(_ action: @escaping @Sendable () -> Void) {
        let isRaised = state.withLock { state in
            if !state.isRaised { state.actions.append(action) }
            return state.isRaised
        }
        if isRaised { action() }
    }
}
