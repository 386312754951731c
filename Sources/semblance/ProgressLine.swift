import Backfill

/// How far a run is, in one line: "362/796 images, 105.3 images/s, 4 s left, 1 failed".
struct ProgressLine {
    private let progress: Progress
    private static let barWidth = 24

    init(_ progress: Progress) { self.progress = progress }

    /// The line for logs.
    var plain: String {
        var parts = ["\(progress.done)/\(progress.total) images"]
        if progress.rate > 0 { parts.append("\(Counts.decimal(progress.rate)) images/s") }
        if let left = progress.secondsLeft, progress.done < progress.total {
            parts.append("\(Counts.duration(left)) left")
        }
        if progress.failed > 0 { parts.append("\(progress.failed) failed") }
        return parts.joined(separator: ", ")
    }

    /// The line for a terminal, with a bar before it.
    var drawn: String {
        let share = progress.total > 0 ? min(Double(progress.done) / Double(progress.total), 1) : 1
        let filled = Int(share * Double(Self.barWidth))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barWidth - filled)
        return "\(bar) \(Int(share * 100))%  \(plain)"
    }
}
