import Dispatch
import PostgreSQL
import Synchronization

/// Shares the images that are to be embedded among any number of programs.
///
/// Whoever plans offers images; whoever embeds claims some of them. A claim is leased, and its lease renewed as long as its
/// holder lives; one that ran out is swept away by anybody, and its images are free again. A number on each claim, which
/// never comes again, is checked in the transaction that writes: a holder that was asleep writes nothing that somebody
/// else has taken over. Attempts are counted when images are claimed, so that one on which programs die is given up in the
/// end. What is offered is a hint; whether an image needs a vector is looked at again once it is claimed. All times are the
/// server's.
package final class WorkQueue: Sendable {
    let server: PostgresServer
    let space: StoredSpace
    let run: Int64
    private let held = Mutex(Held())

    private struct Held {
        /// The claim of each image that is being worked on here.
        var tokens: [Int64: Int64] = [:]
        var lastRenewal = ContinuousClock.now
        var isClosed = false
    }

    /// How a wait for work ended.
    package enum Claim: Sendable {
        case images([Int64])
        /// Others still work, or plan, or the run is paused: there may be some later.
        case wait
        /// Whoever planned is not heard of any more: there may be images that nobody was offered.
        case unplanned
        case over
    }

    /// The images of a claim.
    package static let claimSize = 128
    /// Seconds after which a claim that nobody renewed is free again.
    static let lease = 120
    private static let renewal = Duration.seconds(30)
    private static let sweep = DispatchTimeInterval.seconds(15)
    /// From so many attempts on, an image is claimed alone: others must not suffer for it.
    private static let suspicion = 2
    /// After so many it is given up.
    package static let mostAttempts = 5

    init(_ server: PostgresServer, space: StoredSpace, run: Int64) {
        self.server = server
        self.space = space
        self.run = run
        keepUpLater()
    }

    // Planning

    /// Becomes the one that plans, unless somebody else is.
    package func beginPlanning() throws(CatalogError) -> Bool {
        try server.execute(
            """
            UPDATE semblance.spaces SET planner = $2, planned_until = clock_timestamp() + interval '\(Self.lease) s'
            WHERE id = $1 AND (planned_until IS NULL OR planned_until < clock_timestamp() OR planner = $2)
            """,
            [.int64(space.id), .int64(run)]
        ).changes == 1
    }

    /// Offers images to everybody.
    package func offer(_ images: [Int64]) throws(CatalogError) {
        try server.execute(
            """
            INSERT INTO semblance.work (space_id, image_id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING
            """,
            [.int64(space.id), .int64s(images)]
        )
    }

    /// Lets it be known that everything was offered.
    package func endPlanning() throws(CatalogError) {
        try server.execute(
            "UPDATE semblance.spaces SET planner = NULL, planned_until = NULL WHERE id = $1 AND planner = $2",
            [.int64(space.id), .int64(run)]
        )
    }

    /// How many images wait, or are being worked on.
    package func count() throws(CatalogError) -> Int {
        let rows = try server.execute(
            "SELECT count(*) FROM semblance.work WHERE space_id = $1",
            [.int64(space.id)]
        ).rows
        return Int(rows.first?.int64(0) ?? 0)
    }

    // Working

    /// Claims some images.
    ///
    /// Those on which a program has died before come last, one at a time, and only while nothing else is held here.
    package func claim() throws(CatalogError) -> Claim {
        let isIdle = held.withLock { $0.tokens.isEmpty }
        let claimed = try server.transaction { connection in
            let fresh = try claim(count: Self.claimSize, attempts: 0..<Self.suspicion, connection)
            guard fresh.isEmpty, isIdle else { return fresh }
            return try claim(count: 1, attempts: Self.suspicion..<Self.mostAttempts, connection)
        }
        guard claimed.isEmpty else {
            held.withLock { held in for (image, token) in claimed { held.tokens[image] = token } }
            return .images(claimed.map(\.image))
        }
        return try isIdle ? standing() : .wait
    }

    private func claim(
        count: Int,
        attempts: Range<Int>,
        _ connection: PostgresConnection
    ) throws -> [(image: Int64, token: Int64)] {
        let rows = try connection.execute(
            """
            WITH picked AS MATERIALIZED (
                SELECT image_id FROM semblance.work
                WHERE space_id = $1 AND token IS NULL AND attempts >= $3 AND attempts < $4
                    AND NOT (SELECT paused FROM semblance.control)
                ORDER BY image_id LIMIT $5 FOR UPDATE SKIP LOCKED
            ), claim AS (
                INSERT INTO semblance.claims (space_id, run_id, leased_until)
                SELECT $1, $2, clock_timestamp() + interval '\(Self.lease) s' WHERE EXISTS (SELECT 1 FROM picked)
                RETURNING token
            )
            UPDATE semblance.work w SET token = claim.token, attempts = w.attempts + 1 FROM picked, claim
            WHERE w.space_id = $1 AND w.image_id = picked.image_id RETURNING w.image_id, w.token
            """,
            [
                .int64(space.id), .int64(run), .int64(Int64(attempts.lowerBound)), .int64(Int64(attempts.upperBound)),
                .int64(Int64(count)),
            ]
        ).rows
        return rows.map { ($0.int64(0) ?? 0, $0.int64(1) ?? 0) }.sorted { $0.0 < $1.0 }
    }

    /// What there is to wait for where nothing can be claimed.
    private func standing() throws(CatalogError) -> Claim {
        let row = try server.execute(
            """
            SELECT EXISTS (SELECT 1 FROM semblance.work WHERE space_id = $1) OR planned_until >= clock_timestamp(),
                planned_until IS NOT NULL
            FROM semblance.spaces WHERE id = $1
            """,
            [.int64(space.id)]
        ).rows.first
        if row?.bool(0) == true { return .wait }
        return row?.bool(1) == true ? .unplanned : .over
    }

    /// How many images are held here and not written yet.
    package var heldCount: Int { held.withLock { $0.tokens.count } }

    /// Takes images off the queue whose claims still stand, in the transaction that writes what became of them.
    ///
    /// - Returns: These images; whatever the others were claimed by is somebody else's now.
    func complete(_ images: [Int64], _ connection: PostgresConnection) throws -> Set<Int64> {
        let claimed = held.withLock { held in images.compactMap { image in held.tokens[image].map { (image, $0) } } }
        let rows = try connection.execute(
            """
            DELETE FROM semblance.work w USING unnest($2::bigint[], $3::bigint[]) AS c(image_id, token)
            WHERE w.space_id = $1 AND w.image_id = c.image_id AND w.token = c.token RETURNING w.image_id
            """,
            [.int64(space.id), .int64s(claimed.map(\.0)), .int64s(claimed.map(\.1))]
        ).rows
        return Set(rows.compactMap { $0.int64(0) })
    }

    /// Forgets images that were written, or lost to somebody else.
    func release(_ images: [Int64]) {
        held.withLock { held in for image in images { held.tokens[image] = nil } }
    }

    /// Takes images off the queue that need nothing after all.
    package func drop(_ images: [Int64]) throws(CatalogError) {
        guard !images.isEmpty else { return }
        try server.transaction { _ = try complete(images, $0) }
        release(images)
    }

    /// Gives back what is held: it was not tried.
    package func close() throws(CatalogError) {
        held.withLock { $0.isClosed = true }
        try endPlanning()
        try server.transaction { connection in
            try connection.execute(
                """
                UPDATE semblance.work SET token = NULL, attempts = greatest(attempts - 1, 0)
                WHERE token IN (SELECT token FROM semblance.claims WHERE run_id = $1)
                """,
                [.int64(run)]
            )
            _ = try connection.execute("DELETE FROM semblance.claims WHERE run_id = $1", [.int64(run)])
        }
        held.withLock { $0.tokens = [:] }
    }

    // Upkeep

    private func keepUpLater() {
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.sweep) { [weak self] in
            guard let self, !held.withLock({ $0.isClosed }) else { return }
            keepUp()
            keepUpLater()
        }
    }

    /// Renews what is held here, and frees what others have let run out.
    ///
    /// Where that fails, the next time comes soon; a lease that is lost by it costs nothing but the work.
    private func keepUp() {
        let isDue = held.withLock { held in
            guard ContinuousClock.now - held.lastRenewal >= Self.renewal else { return false }
            held.lastRenewal = .now
            return true
        }
        do throws(CatalogError) {
            if isDue { try renew() }
            try sweepClaims()
            try giveUp()
        } catch {
            held.withLock { $0.lastRenewal = .now - Self.renewal }
        }
    }
}
