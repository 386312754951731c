import Catalog
import Digests
import Foundation

/// Takes updates from Telegram by long polling: what has arrived is kept first, and confirmed by the next question.
struct Polling: Sendable {
    let api: BotAPI
    let intake: Intake
    let state: BotState
    /// Whether another program's webhook is put out of use.
    let takesOver: Bool
    let say: @Sendable (String) -> Void

    /// So often in a row another poller is met before the bot gives way to it.
    private static let mostConflicts = 3
    private static let conflictPause = 5.0

    func run() async throws {
        var (offset, conflicts, backoff): (Int64?, Int, Backoff) = (nil, 0, Backoff())
        if takesOver { try await api.deleteWebhook() }
        while !Task.isCancelled {
            do {
                let updates = try await api.getUpdates(offset: offset)
                state.isConnected = true
                try await blocking { try intake.keep(updates) }
                // Numbers may begin anew, at a lower one: the last that came counts, not the highest.
                if let last = updates.last { offset = last.update.update_id + 1 }
                conflicts = 0
                backoff.reset()
            } catch let error as BotError {
                switch error.code {
                case .unavailable: try? await Task.sleep(for: .seconds(backoff.next()))
                case .tooMany: try? await Task.sleep(for: .seconds((error.wait ?? 1) + 0.5))
                case .conflict where conflicts + 1 < Self.mostConflicts && !Self.isWebhook(error):
                    conflicts += 1
                    try? await Task.sleep(for: .seconds(Self.conflictPause))
                case .conflict: throw Self.explained(error)
                default: throw error
                }
                state.isConnected = false
            }
        }
    }

    private static func isWebhook(_ error: BotError) -> Bool { error.description.lowercased().contains("webhook") }

    private static func explained(_ error: BotError) -> BotError {
        BotError(
            .conflict,
            isWebhook(error)
                ? "A webhook takes this bot's updates; --take-over puts it out of use"
                : "Another program polls this bot's updates (perhaps the Python bot); stop it, or give Semblance a bot of its own"
        )
    }
}

/// Keeps updates, whichever way they come.
struct Intake: Sendable {
    let mailbox: Mailbox
    /// What somebody is told whose updates are too many.
    let refusal: @Sendable (Update) -> Outgoing?
    let clock: @Sendable () -> Double

    /// Keeps updates before anybody is told that they have arrived.
    func keep(_ updates: [BotAPI.RawUpdate]) throws {
        let now = clock()
        let received = try updates.map { raw in
            let bytes = try JSONEncoder.sorted.encode(raw.value)
            return Mailbox.ReceivedUpdate(
                updateID: raw.update.update_id,
                digest: SHA256Digest(of: Array(bytes)).bytes,
                chat: raw.update.chat,
                person: raw.update.person,
                body: bytes
            )
        }
        try mailbox.keep(received, now: now) { update in
            let decoded = try? JSONDecoder().decode(Update.self, from: update.body)
            return decoded.flatMap(refusal).flatMap { try? $0.data }
        }
    }
}
