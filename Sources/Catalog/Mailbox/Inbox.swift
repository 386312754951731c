package import Foundation
import GRDB

/// What came from Telegram and has yet to be answered.
extension Mailbox {
    /// An update as it came.
    package struct ReceivedUpdate: Sendable {
        package let updateID: Int64
        /// The SHA-256 of its content: numbers come again after a quiet week, for other updates.
        package let digest: [UInt8]
        package let chat: Int64
        package let person: Int64
        package let body: Data

        package init(updateID: Int64, digest: [UInt8], chat: Int64, person: Int64, body: Data) {
            self.updateID = updateID
            self.digest = digest
            self.chat = chat
            self.person = person
            self.body = body
        }
    }

    /// An update that waits.
    package struct WaitingUpdate: Sendable {
        let id: Int64
        package let chat: Int64
        package let person: Int64
        package let body: Data
        /// How often it was tried in vain.
        package let attempts: Int
    }

    /// A picture's part in the answer to its album.
    package struct AlbumPart: Sendable {
        package let name: String
        package let image: Int64
        /// What is needed to answer, in the words of whoever answers.
        package let context: Data

        package init(name: String, image: Int64, context: Data) {
            self.name = name
            self.image = image
            self.context = context
        }
    }

    /// Keeps updates; those that came before are passed over.
    ///
    /// - Parameters:
    ///   - most: How many of one person may wait; further ones are not kept.
    ///   - refusal: What to send for an update that is not kept; `nil` for nothing.
    /// - Returns: How many were new.
    @discardableResult
    package func keep(
        _ updates: [ReceivedUpdate],
        now: Double,
        mostWaiting most: Int = 100,
        refusal: (ReceivedUpdate) -> Data? = { _ in nil }
    ) throws(CatalogError) -> Int {
        try write { db in
            var count = 0
            for update in updates {
                let waiting = "SELECT count(*) FROM updates WHERE person = ? AND state = 'waiting'"
                let isTooMuch = try Int.fetchOne(db, sql: waiting, arguments: [update.person]) ?? 0 >= most
                try db.execute(
                    sql: """
                        INSERT INTO updates (update_id, digest, chat, person, body, state, received_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                        """,
                    arguments: [
                        update.updateID, Data(update.digest), update.chat, update.person,
                        isTooMuch ? nil : update.body, isTooMuch ? "refused" : "waiting", now,
                    ]
                )
                count += db.changesCount
                if isTooMuch, db.changesCount > 0, let message = refusal(update) {
                    try Self.enqueue(message, to: update.chat, now: now, db)
                }
            }
            return count
        }
    }

    /// The first update that may be answered now: those of one chat one after the other.
    ///
    /// - Parameter busy: Chats with an update in work.
    package func nextUpdate(exceptOf busy: Set<Int64>, now: Double) throws(CatalogError) -> WaitingUpdate? {
        try read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT id, chat, person, body, attempts FROM updates AS one
                    WHERE state = 'waiting' AND not_before <= ? AND chat NOT IN (SELECT value FROM json_each(?))
                        AND NOT EXISTS (SELECT 1 FROM updates AS earlier
                            WHERE earlier.state = 'waiting' AND earlier.chat = one.chat AND earlier.id < one.id)
                    ORDER BY id LIMIT 1
                    """,
                arguments: [now, jsonArray(busy)]
            )
            return row.map { row in
                WaitingUpdate(id: row[0], chat: row[1], person: row[2], body: row[3] ?? Data(), attempts: row[4])
            }
        }
    }

    /// An update is answered: what is to be sent takes its place, in one transaction.
    package func finish(
        _ update: WaitingUpdate,
        replies: [Data],
        album: AlbumPart? = nil,
        now: Double
    ) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: "UPDATE updates SET state = 'done', body = NULL, error = NULL WHERE id = ?",
                arguments: [update.id]
            )
            for reply in replies { try Self.enqueue(reply, to: update.chat, now: now, db) }
            if let album { try Self.add(album, chat: update.chat, now: now, db) }
        }
    }

    /// An update could not be answered: it is tried again later, and given up after a few times.
    ///
    /// - Parameter reply: What is sent where it is given up.
    /// - Returns: Whether it is given up.
    @discardableResult
    package func fail(
        _ update: WaitingUpdate,
        reason: String,
        reply: Data?,
        retryAt: Double,
        mostAttempts: Int = Mailbox.mostAttempts,
        now: Double
    ) throws(CatalogError) -> Bool {
        let isDead = update.attempts + 1 >= mostAttempts
        try write { db in
            try db.execute(
                sql: """
                    UPDATE updates SET state = ?, attempts = attempts + 1, not_before = ?, error = ?,
                        body = CASE WHEN ? THEN NULL ELSE body END
                    WHERE id = ?
                    """,
                arguments: [isDead ? "dead" : "waiting", retryAt, reason, isDead, update.id]
            )
            if isDead, let reply { try Self.enqueue(reply, to: update.chat, now: now, db) }
        }
        return isDead
    }

    /// An update has to wait, through no fault of its own.
    package func postpone(
        _ update: WaitingUpdate,
        until: Double,
        replies: [Data] = [],
        now: Double
    ) throws(CatalogError) {
        try write { db in
            try db.execute(sql: "UPDATE updates SET not_before = ? WHERE id = ?", arguments: [until, update.id])
            for reply in replies { try Self.enqueue(reply, to: update.chat, now: now, db) }
        }
    }

    /// How many updates wait, and how many were given up.
    package func inboxCounts() throws(CatalogError) -> (waiting: Int, dead: Int) {
        try read { db in
            func count(_ state: String) throws -> Int {
                try Int.fetchOne(db, sql: "SELECT count(*) FROM updates WHERE state = ?", arguments: [state]) ?? 0
            }
            return (try count("waiting"), try count("dead"))
        }
    }

    /// Forgets everything of a person but the numbers of what came.
    package func forget(person: Int64, chat: Int64) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: "UPDATE updates SET body = NULL, error = NULL WHERE person = ? AND state <> 'waiting'",
                arguments: [person]
            )
            for table in ["album_images", "albums"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE chat = ?", arguments: [chat])
            }
        }
    }
}
