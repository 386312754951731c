package import Catalog

/// What a run did.
package struct Summary: Sendable {
    /// Images that got a vector where none was.
    package var embedded = 0
    /// Images whose stale vector was replaced.
    package var replaced = 0
    /// Images whose vector somebody else had computed, and which was found right.
    package var adopted = 0
    /// Images whose vector was ours, and whose file was looked at again.
    package var described = 0
    /// Images whose vector was ours already, and was written into the bot's database.
    package var published = 0
    /// Images that failed in this run, by class.
    package var failed: [FailureRecord.Class: Int] = [:]
    /// Images left alone because of an earlier failure, by class.
    package var skipped: [FailureRecord.Class: Int] = [:]
    /// Images that were deleted or exchanged while the run worked on them.
    package var vanished = 0
    /// Wall-clock seconds of the run, loading the model aside.
    package var seconds = 0.0
    /// What the stages cost.
    package var processorTimes = ProcessorTimes()
    /// Whether the run was stopped before its end.
    package var isInterrupted = false

    /// Images that failed in this run.
    package var failedTotal: Int { failed.values.reduce(0, +) }
    /// Vectors that were stored or published.
    package var written: Int { embedded + replaced + adopted + described + published }
    /// Vectors stored or published in a second.
    package var rate: Double { seconds > 0 ? Double(written) / seconds : 0 }
}
