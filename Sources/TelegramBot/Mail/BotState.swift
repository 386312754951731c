import Synchronization

/// How it stands with Telegram, for `/health`.
package final class BotState: Sendable {
    private let state = Mutex((isConnected: false, end: String?.none))

    package init() {}

    var isConnected: Bool {
        get { state.withLock { $0.isConnected } }
        set { state.withLock { $0.isConnected = newValue } }
    }

    /// The bot has ended for a reason.
    package func end(_ reason: String) { state.withLock { $0 = (false, reason) } }

    /// In a word or a sentence; "ok" where updates come.
    package var summary: String {
        state.withLock { $0.end ?? ($0.isConnected ? "ok" : "Telegram does not answer") }
    }
}
