package import Catalog
package import EmbeddingModel
import Synchronization

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

    /// The speed of the two costly stages one after the other, each on all the threads that it has in a run.
    private func rate(
        of trial: [ImageRecord],
        _ preparation: ImagePreparation,
        _ encoder: ImageEncoder
    ) throws -> Double? {
        let clock = ContinuousClock()
        let tensors = Mutex<[[Float]]>([])
        let preparing = clock.measure {
            Self.share(trial, among: Self.preparerCount, inPiecesOf: 1) { images in
                guard let prepared = try? preparation.prepare(images[0]) else { return }
                tensors.withLock { $0.append(prepared.tensor) }
            }
        }
        let prepared = tensors.withLock { $0 }
        guard !prepared.isEmpty else { return nil }
        let failure = Mutex<(any Error)?>(nil)
        let embedding = clock.measure {
            Self.share(prepared, among: options.modelThreads, inPiecesOf: encoder.callSize) { call in
                do { _ = try encoder.embed(call) } catch { failure.withLock { $0 = error } }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return Double(prepared.count) / ((embedding + preparing) / .seconds(1))
    }

    /// Hands pieces of a list to threads until there are none left.
    private static func share<Element: Sendable>(
        _ elements: [Element],
        among threadCount: Int,
        inPiecesOf size: Int,
        _ work: @escaping @Sendable ([Element]) -> Void
    ) {
        let queue = BoundedQueue<Element>(capacity: elements.count)
        for element in elements { queue.push(element) }
        queue.close()
        let threads = (0..<threadCount).map { _ in
            WorkerThread {
                while true {
                    let piece = queue.pop(atMost: size)
                    guard !piece.isEmpty else { return }
                    work(piece)
                }
            }
        }
        for thread in threads { thread.join() }
    }
}
