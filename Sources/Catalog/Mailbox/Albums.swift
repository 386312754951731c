package import Foundation
import GRDB

/// Albums: their pictures come as updates of their own, with no sign of the last one, and get one answer.
extension Mailbox {
    /// An album whose answer is due.
    package struct DueAlbum: Sendable {
        package let chat: Int64
        package let name: String
        package let context: Data
        package let images: [Int64]
        /// The message that answered it, which is to be changed; `nil` where there is none yet.
        package let messageID: Int64?
    }

    /// How long after its latest part an album is answered, in seconds.
    package static let albumSilence = 1.5
    /// How long after its first part it is answered at the latest.
    package static let albumPatience = 10.0

    static func add(_ part: AlbumPart, chat: Int64, now: Double, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO albums (chat, name, context, first_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4 + ?5)
                ON CONFLICT (chat, name) DO UPDATE SET due_at = CASE
                    WHEN due_at IS NULL THEN ?4 + ?5 ELSE min(?4 + ?5, max(first_at + ?6, due_at)) END
                """,
            arguments: [chat, part.name, part.context, now, albumSilence, albumPatience]
        )
        try db.execute(
            sql: "INSERT OR IGNORE INTO album_images (chat, name, image_id) VALUES (?, ?, ?)",
            arguments: [chat, part.name, part.image]
        )
    }

    /// An album whose answer is due, and was not sent or has to be changed.
    package func dueAlbum(now: Double) throws(CatalogError) -> DueAlbum? {
        try read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT chat, name, context, message_id FROM albums WHERE due_at <= ? ORDER BY due_at LIMIT 1
                    """,
                arguments: [now]
            )
            guard let row else { return nil }
            let images = try Int64.fetchAll(
                db,
                sql: "SELECT image_id FROM album_images WHERE chat = ? AND name = ? ORDER BY image_id",
                arguments: [row[0], row[1]]
            )
            return DueAlbum(chat: row[0], name: row[1], context: row[2], images: images, messageID: row[3])
        }
    }

    /// An album is answered by these messages.
    package func answer(_ album: DueAlbum, with replies: [Data], now: Double) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: "UPDATE albums SET due_at = NULL WHERE chat = ? AND name = ?",
                arguments: [album.chat, album.name]
            )
            for reply in replies { try Self.enqueue(reply, to: album.chat, now: now, db) }
        }
    }
}
