import Foundation
import GRDB
package import Vectors

/// What a model gave for the built-in pictures when its space was begun: the standard that it is held to afterwards.
extension SQLiteVectorDatabase {
    /// Keeps a model's answers, unless there are some already.
    package func keepKnownAnswers(_ answers: [Embedding], of space: StoredSpace) throws(CatalogError) {
        guard try knownAnswers(of: space) == nil else { return }
        try write { db in
            for (picture, answer) in answers.enumerated() {
                try db.execute(
                    sql: "INSERT INTO known_answers (space_id, picture, blob) VALUES (?, ?, ?)",
                    arguments: [space.id, picture, Data(EmbeddingBlob(answer).bytes)]
                )
            }
        }
    }

    /// The answers that were kept; `nil` where there are none, or none that can be read.
    package func knownAnswers(of space: StoredSpace) throws(CatalogError) -> [Embedding]? {
        let blobs = try read { db in
            try db.tableExists("known_answers")
                ? Row.fetchAll(
                    db,
                    sql: "SELECT blob FROM known_answers WHERE space_id = ? ORDER BY picture",
                    arguments: [space.id]
                ).map { $0.bytes(at: 0) ?? [] } : []
        }
        let answers = blobs.compactMap { blob -> Embedding? in
            guard case .embedding(let answer) = EmbeddingBlob.read(blob) else { return nil }
            return answer
        }
        return answers.isEmpty || answers.count < blobs.count ? nil : answers
    }
}
