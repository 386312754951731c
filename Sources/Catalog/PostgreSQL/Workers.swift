import PostgreSQL

/// Who embeds at a server, and how far all of them are.
package struct Workers: Sendable {
    private let server: PostgresServer

    package init(_ server: PostgresServer) { self.server = server }

    /// A program that embeds.
    package struct Worker: Sendable, Encodable {
        package let id: Int64
        package let name: String
        package let model: String
        /// Images whose vector it stored.
        package let embedded: Int
        package let failed: Int
        /// Images that it has claimed.
        package let claimed: Int
        /// Seconds since it began.
        package let seconds: Double
        /// Seconds since it was heard of.
        package let silence: Double
        /// Seconds until its claims are free again; `nil` where it has none.
        package let lease: Double?

        /// Images in a second.
        package var rate: Double { seconds > 0 ? Double(embedded + failed) / seconds : 0 }
    }

    /// All that is known.
    package struct State: Sendable, Encodable {
        package let workers: [Worker]
        /// Images that nobody has claimed.
        package let waiting: Int
        package let claimed: Int
        /// Images that were given up.
        package let abandoned: Int
        package let paused: Bool

        /// Seconds until everything is done at the present rate; `nil` where nobody works.
        package var secondsLeft: Double? {
            let rate = workers.reduce(0) { $0 + $1.rate }
            return rate > 0 && !paused ? Double(waiting + claimed) / rate : nil
        }
    }

    /// Those that have not ended, and were heard of in the last ten minutes.
    package func state() throws(CatalogError) -> State {
        try server.run { connection in
            let workers = try connection.execute(
                """
                SELECT r.id, r.name, s.model, r.embedded, r.failed,
                    (SELECT count(*) FROM semblance.work w JOIN semblance.claims c USING (token) WHERE c.run_id = r.id),
                    extract(epoch FROM clock_timestamp() - r.started_at)::float8,
                    extract(epoch FROM clock_timestamp() - r.seen_at)::float8,
                    (SELECT extract(epoch FROM min(c.leased_until) - clock_timestamp())::float8 FROM semblance.claims c
                        WHERE c.run_id = r.id)
                FROM semblance.runs r JOIN semblance.spaces s ON s.id = r.space_id
                WHERE r.ended_at IS NULL AND r.name <> '' AND r.seen_at > clock_timestamp() - interval '10 min'
                ORDER BY r.id
                """
            ).rows.map { row in
                Worker(
                    id: row.int64(0) ?? 0,
                    name: row.text(1) ?? "",
                    model: row.text(2) ?? "",
                    embedded: Int(row.int64(3) ?? 0),
                    failed: Int(row.int64(4) ?? 0),
                    claimed: Int(row.int64(5) ?? 0),
                    seconds: row.double(6) ?? 0,
                    silence: row.double(7) ?? 0,
                    lease: row.double(8)
                )
            }
            let totals = try connection.execute(
                """
                SELECT count(*) FILTER (WHERE token IS NULL), count(*) FILTER (WHERE token IS NOT NULL),
                    (SELECT count(*) FROM semblance.failures WHERE class = $1), (SELECT paused FROM semblance.control)
                FROM semblance.work
                """,
                [.text(FailureRecord.Class.abandoned.rawValue)]
            ).rows.first
            return State(
                workers: workers,
                waiting: Int(totals?.int64(0) ?? 0),
                claimed: Int(totals?.int64(1) ?? 0),
                abandoned: Int(totals?.int64(2) ?? 0),
                paused: totals?.bool(3) ?? false
            )
        }
    }

    /// Lets all workers stop claiming, or go on.
    package func setPaused(_ isPaused: Bool) throws(CatalogError) {
        try server.execute("UPDATE semblance.control SET paused = $1", [.bool(isPaused)])
    }
}
