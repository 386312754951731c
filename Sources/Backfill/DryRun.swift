package import Catalog
package import EmbeddingModel

/// What a run would do and how long it would take, found out without changing anything.
package struct DryRun: Sendable {
    package let plan: Plan
    /// Images whose file could not be opened, or has no header that can be read, by class.
    package let unusable: [FailureRecord.Class: Int]
    /// Images a second in the trial; `nil` where there was nothing to try.
    package let rate: Double?

    /// The seconds that the run would take.
    package var seconds: Double? {
        let usable = plan.toEmbed + plan.replacements - unusable.values.reduce(0, +)
        return rate.map { Double(max(usable, 0)) / $0 }
    }
}

extension Backfill {
    /// How many pictures the trial takes.
    private static let trialSize = 16

    /// Opens every file, reads every header, and embeds a few pictures to see how fast it goes.
    package func dryRun(_ encoder: ImageEncoder) throws -> DryRun {
        var plan = Plan()
        var unusable: [FailureRecord.Class: Int] = [:]
        var trial: [ImageRecord] = []
        let preparation = ImagePreparation(files: files, preprocessing: encoder.preprocessing)
        try visit(encoder.space) { surveyed, decision in
            plan.count(decision, surveyed.condition)
            if decision == .embed {
                do throws(SourceFiles.Fault) {
                    try preparation.check(surveyed.image)
                    if trial.count < Self.trialSize { trial.append(surveyed.image) }
                } catch {
                    unusable[error.kind, default: 0] += 1
                }
            }
            return !stop.isRaised && plan.total < options.limit ?? .max
        }
        return DryRun(plan: plan, unusable: unusable, rate: try rate(of: trial, preparation, encoder))
    }

    /// The speed of the two costly stages one after the other: preparing is spread over the cores, and the model uses
    /// all of them.
    private func rate(
        of trial: [ImageRecord],
        _ preparation: ImagePreparation,
        _ encoder: ImageEncoder
    ) throws -> Double? {
        let clock = ContinuousClock()
        var tensors: [[Float]] = []
        let preparing = clock.measure { tensors = trial.compactMap { try? preparation.prepare($0).tensor } }
        guard !tensors.isEmpty else { return nil }
        let embedding = try clock.measure { _ = try encoder.embed(tensors) }
        let seconds = embedding / .seconds(1) + preparing / .seconds(1) / Double(Self.preparerCount)
        return Double(tensors.count) / seconds
    }
}
