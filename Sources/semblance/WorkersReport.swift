import Catalog

/// What `semblance workers` tells.
struct WorkersReport: Encodable {
    private struct Line: Encodable {
        let worker: String
        let model: String
        let embedded: Int
        let failed: Int
        let images_per_second: Double
        let claimed: Int
        let seconds_since_heard: Double
        let lease_seconds: Double?
    }

    private let workers: [Line]
    private let waiting: Int
    private let claimed: Int
    private let abandoned: Int
    private let paused: Bool
    private let seconds_left: Double?

    init(state: Workers.State) {
        workers = state.workers.map { worker in
            Line(
                worker: worker.name,
                model: worker.model,
                embedded: worker.embedded,
                failed: worker.failed,
                images_per_second: Counts.rounded(worker.rate),
                claimed: worker.claimed,
                seconds_since_heard: Counts.rounded(worker.silence),
                lease_seconds: worker.lease.map(Counts.rounded)
            )
        }
        waiting = state.waiting
        claimed = state.claimed
        abandoned = state.abandoned
        paused = state.paused
        seconds_left = state.secondsLeft.map(Counts.rounded)
    }

    /// For people.
    var lines: [String] {
        var lines = workers.map { worker in
            let lease = worker.lease_seconds.map { ", leased for \(Int($0)) s" } ?? ""
            return Console.oneLine(
                "\(worker.worker): \(worker.model), \(worker.embedded) embedded, \(worker.failed) failed, "
                    + "\(Counts.decimal(worker.images_per_second)) images/s, \(worker.claimed) claimed\(lease), "
                    + "heard of \(Int(worker.seconds_since_heard)) s ago"
            )
        }
        if workers.isEmpty { lines.append("Nobody embeds now.") }
        let end = seconds_left.map { ", about \(Int($0.rounded(.up))) s left" } ?? ""
        lines.append("\(waiting) images wait, \(claimed) are claimed, \(abandoned) were given up\(end).")
        if paused { lines.append("Paused: semblance workers resume lets them go on.") }
        return lines
    }
}
