import Backfill

/// How far a run is, in one line.
struct ProgressLine {
    let text: String

    init(_ progress: Progress) {
        var parts = ["\(progress.done)/\(progress.total) images"]
        if progress.rate > 0 { parts.append("\(Counts.decimal(progress.rate)) images/s") }
        if let left = progress.secondsLeft, progress.done < progress.total {
            parts.append("\(Counts.duration(left)) left")
        }
        if progress.failed > 0 { parts.append("\(progress.failed) failed") }
        text = parts.joined(separator: ", ")
    }
}
