import Backfill
import Catalog
import FoundationEssentials

/// What `generate` prints at its end.
struct GenerateReport: Encodable {
    let summary: Summary
    let plan: Plan
    /// How the scope stands after the run; `nil` where the user is in a hurry.
    let statistics: Statistics?
    /// Whether answers come from the space that was filled.
    let isActive: Bool
    /// The longest time that the bot's database was locked.
    let longestWrite: Duration

    private enum CodingKeys: String, CodingKey {
        case longestWrite = "longest_write_milliseconds"
        case processorTimes = "processor_seconds"
        case embedded, replaced, adopted, described, published, active, failed, skipped, vanished, seconds, interrupted
        case rate = "images_per_second"
        case coverage = "coverage_percentage"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(summary.embedded, forKey: .embedded)
        try values.encode(summary.replaced, forKey: .replaced)
        try values.encode(summary.adopted, forKey: .adopted)
        try values.encode(summary.described, forKey: .described)
        try values.encode(summary.published, forKey: .published)
        try values.encode(isActive, forKey: .active)
        try values.encode(Counts.named(summary.failed), forKey: .failed)
        try values.encode(Counts.named(summary.skipped), forKey: .skipped)
        try values.encode(summary.vanished, forKey: .vanished)
        try values.encode(Counts.rounded(summary.seconds), forKey: .seconds)
        try values.encode(summary.isInterrupted, forKey: .interrupted)
        try values.encode(Counts.rounded(summary.rate), forKey: .rate)
        try values.encodeIfPresent((statistics?.coverage).map(Counts.rounded), forKey: .coverage)
        try values.encode(Counts.rounded(longestWrite / .milliseconds(1)), forKey: .longestWrite)
        let times = summary.processorTimes
        let seconds = ["prepare": times.prepare, "model": times.model, "store": times.store]
        try values.encode(seconds.mapValues(Counts.thousandths), forKey: .processorTimes)
    }

    /// The lines for people.
    var lines: [String] {
        guard plan.total > 0 || summary.published > 0 || summary.isInterrupted else {
            return [nothingToDo] + skipped + coverage
        }
        var lines = ["Embedded: \(summary.embedded)", "Replaced: \(summary.replaced)"]
        if summary.adopted > 0 { lines.append("Taken over: \(summary.adopted)") }
        if summary.described > 0 { lines.append("Looked at again: \(summary.described)") }
        if summary.published > 0 { lines.append("Written into the bot's database: \(summary.published)") }
        lines.append("Failed: \(summary.failedTotal)" + Counts.parenthesised(summary.failed))
        if summary.vanished > 0 { lines.append("Deleted meanwhile: \(summary.vanished)") }
        lines += skipped
        lines.append("Seconds: \(Counts.decimal(summary.seconds))")
        lines.append("Images/s: \(Counts.decimal(summary.rate))")
        return lines + coverage
    }

    private var nothingToDo: String {
        statistics?.total == 0
            ? "Nothing to do: there are no completed images."
            : "Nothing to do: \(Counts.images(plan.done)) of \(statistics?.total ?? plan.done) have an embedding."
    }

    private var skipped: [String] {
        let total = summary.skipped.values.reduce(0, +)
        guard total > 0 else { return [] }
        return ["Skipped, failed before: \(total)" + Counts.parenthesised(summary.skipped)]
    }

    private var coverage: [String] {
        statistics.map { ["Coverage: \(Counts.decimal($0.coverage))%"] } ?? []
    }
}

/// What `generate --dry-run` prints.
struct DryRunReport: Encodable {
    let dryRun: DryRun
    let options: Backfill.Options

    private enum CodingKeys: String, CodingKey {
        case embed = "to_embed"
        case replace = "to_replace"
        case publish = "to_publish"
        case describe = "to_describe"
        case unusable, skipped, done
        case rate = "images_per_second"
        case seconds
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(dryRun.plan.toEmbed, forKey: .embed)
        try values.encode(Counts.named(dryRun.plan.toReplace), forKey: .replace)
        try values.encode(dryRun.plan.toPublish, forKey: .publish)
        try values.encode(dryRun.plan.toDescribe, forKey: .describe)
        try values.encode(Counts.named(dryRun.unusable), forKey: .unusable)
        try values.encode(Counts.named(dryRun.plan.skipped), forKey: .skipped)
        try values.encode(dryRun.plan.done, forKey: .done)
        try values.encodeIfPresent(dryRun.rate.map(Counts.rounded), forKey: .rate)
        try values.encodeIfPresent(dryRun.seconds.map(Counts.rounded), forKey: .seconds)
    }

    /// The lines for people.
    var lines: [String] {
        let plan = dryRun.plan
        var lines = ["Dry run: nothing is changed.", "To embed: \(plan.toEmbed)"]
        lines.append("To replace: \(plan.replacements)" + Counts.parenthesised(plan.toReplace))
        if plan.toDescribe > 0 { lines.append("To look at again: \(plan.toDescribe)") }
        if plan.toPublish > 0 { lines.append("To publish from an earlier run: \(plan.toPublish)") }
        let unusable = dryRun.unusable.values.reduce(0, +)
        lines.append("Of these, without a usable file: \(unusable)" + Counts.parenthesised(dryRun.unusable))
        let skipped = plan.skipped.values.reduce(0, +)
        if skipped > 0 { lines.append("Skipped, failed before: \(skipped)" + Counts.parenthesised(plan.skipped)) }
        lines.append("Embedded already: \(plan.done)")
        if plan.replacements > 0 && options.makesBackup {
            lines.append("Before the first replacement the bot's database is copied.")
        }
        if let rate = dryRun.rate, let seconds = dryRun.seconds {
            lines.append("Expected time: \(Counts.duration(seconds)) at \(Counts.decimal(rate)) images/s")
        }
        return lines
    }
}
