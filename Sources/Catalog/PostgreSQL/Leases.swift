import PostgreSQL

/// What keeps claims true: their renewal, and the end of those that nobody renews.
extension WorkQueue {
    /// Renews what is held here, and the plan that is being made.
    func renew() throws(CatalogError) {
        try server.transaction { connection in
            let later = "clock_timestamp() + interval '\(Self.lease) s'"
            try connection.execute(
                "UPDATE semblance.claims SET leased_until = \(later) WHERE run_id = $1",
                [.int64(run)]
            )
            try connection.execute(
                "UPDATE semblance.spaces SET planned_until = \(later) WHERE planner = $1",
                [.int64(run)]
            )
            _ = try connection.execute(
                "UPDATE semblance.runs SET seen_at = clock_timestamp() WHERE id = $1",
                [.int64(run)]
            )
        }
    }

    /// Frees the images of claims that ran out, and forgets claims that have none left.
    func sweepClaims() throws(CatalogError) {
        try server.transaction { connection in
            _ = try connection.execute(
                """
                WITH gone AS (
                    DELETE FROM semblance.claims WHERE token IN (
                        SELECT token FROM semblance.claims c WHERE leased_until < clock_timestamp()
                            OR (run_id = $1 AND NOT EXISTS (SELECT 1 FROM semblance.work w WHERE w.token = c.token))
                        FOR UPDATE SKIP LOCKED)
                    RETURNING token)
                UPDATE semblance.work SET token = NULL WHERE token IN (SELECT token FROM gone)
                """,
                [.int64(run)]
            )
        }
    }

    /// Records images that were tried too often as failures.
    func giveUp() throws(CatalogError) {
        try server.transaction { connection in
            _ = try connection.execute(
                """
                WITH dead AS (
                    DELETE FROM semblance.work WHERE space_id = $1 AND token IS NULL AND attempts >= \(Self.mostAttempts)
                    RETURNING image_id, attempts)
                INSERT INTO semblance.failures (space_id, image_id, file_unique_id, class, attempts, message)
                SELECT $1, d.image_id, i.file_unique_id, $2, d.attempts,
                    d.attempts || ' times a program ended, or was cut off, while it worked on it'
                FROM dead d JOIN images i ON i.id = d.image_id
                ON CONFLICT (space_id, image_id) DO UPDATE SET class = excluded.class, attempts = excluded.attempts,
                    file_unique_id = excluded.file_unique_id, fingerprint = NULL, next_attempt = NULL,
                    message = excluded.message
                """,
                [.int64(space.id), .text(FailureRecord.Class.abandoned.rawValue)]
            )
        }
    }
}
