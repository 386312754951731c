package import Foundation
import GRDB

/// What has yet to be sent to Telegram.
extension Mailbox {
    /// A message that waits.
    package struct WaitingMessage: Sendable {
        package let id: Int64
        package let chat: Int64
        package let body: Data
        package let attempts: Int
        /// How often it was sent without an answer, so that it may have arrived.
        package let unanswered: Int
    }

    static func enqueue(_ body: Data, to chat: Int64, now: Double, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO messages (chat, body, state, made_at) VALUES (?, ?, 'waiting', ?)",
            arguments: [chat, body, now]
        )
    }

    /// Puts a message behind those that wait.
    package func send(_ body: Data, to chat: Int64, now: Double) throws(CatalogError) {
        try write { try Self.enqueue(body, to: chat, now: now, $0) }
    }

    /// The first message that may be sent now: those of one chat one after the other, and none before its chat's pause
    /// is over.
    ///
    /// - Parameter busy: Chats with a message on its way.
    package func nextMessage(exceptTo busy: Set<Int64>, now: Double) throws(CatalogError) -> WaitingMessage? {
        try read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT id, chat, body, attempts, unanswered FROM messages AS one
                    WHERE state = 'waiting' AND not_before <= ?1 AND chat NOT IN (SELECT value FROM json_each(?2))
                        AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.chat IN (one.chat, 0) AND until > ?1)
                        AND NOT EXISTS (SELECT 1 FROM messages AS earlier
                            WHERE earlier.state = 'waiting' AND earlier.chat = one.chat AND earlier.id < one.id)
                    ORDER BY id LIMIT 1
                    """,
                arguments: [now, jsonArray(busy)]
            )
            return row.map { row in
                WaitingMessage(
                    id: row[0],
                    chat: row[1],
                    body: row[2] ?? Data(),
                    attempts: row[3],
                    unanswered: row[4]
                )
            }
        }
    }

    /// A message is about to be sent: if the program is killed before it knows the answer, the message waits for a while,
    /// since the answer may have been that the chat is to be left alone.
    package func claim(_ message: WaitingMessage, now: Double) throws(CatalogError) {
        try write {
            try $0.execute(
                sql: "UPDATE messages SET not_before = ? WHERE id = ?",
                arguments: [now + Self.restAfterDeath, message.id]
            )
        }
    }

    private static let restAfterDeath = 5.0

    /// A message has arrived.
    ///
    /// - Parameter album: The album that it answers, and Telegram's id of the message.
    package func sent(_ message: WaitingMessage, album: (name: String, messageID: Int64)? = nil) throws(CatalogError) {
        try write { db in
            try db.execute(sql: "DELETE FROM messages WHERE id = ?", arguments: [message.id])
            if let album {
                try db.execute(
                    sql: "UPDATE albums SET message_id = ? WHERE chat = ? AND name = ?",
                    arguments: [album.messageID, message.chat, album.name]
                )
            }
        }
    }

    /// A message will never arrive.
    package func close(_ message: WaitingMessage, reason: String) throws(CatalogError) {
        try write {
            try $0.execute(
                sql: "UPDATE messages SET state = 'undeliverable', body = NULL, error = ? WHERE id = ?",
                arguments: [reason, message.id]
            )
        }
    }

    /// A message is tried again later.
    ///
    /// - Parameter isMaybeSent: Whether it may have arrived.
    package func retry(_ message: WaitingMessage, at time: Double, isMaybeSent: Bool) throws(CatalogError) {
        try write {
            try $0.execute(
                sql: """
                    UPDATE messages SET attempts = attempts + 1, not_before = ?, unanswered = unanswered + ? WHERE id = ?
                    """,
                arguments: [time, isMaybeSent, message.id]
            )
        }
    }

    /// Nothing is sent to a message's chat before a time.
    package func pause(_ message: WaitingMessage, until: Double) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO pauses (chat, until) VALUES (?, ?)
                    ON CONFLICT (chat) DO UPDATE SET until = max(until, excluded.until)
                    """,
                arguments: [message.chat, until]
            )
            try db.execute(sql: "UPDATE messages SET not_before = 0 WHERE id = ?", arguments: [message.id])
        }
    }

    /// How many messages wait, and how many could not be delivered.
    package func outboxCounts() throws(CatalogError) -> (waiting: Int, undeliverable: Int) {
        try read { db in
            func count(_ state: String) throws -> Int {
                try Int.fetchOne(db, sql: "SELECT count(*) FROM messages WHERE state = ?", arguments: [state]) ?? 0
            }
            return (try count("waiting"), try count("undeliverable"))
        }
    }
}
