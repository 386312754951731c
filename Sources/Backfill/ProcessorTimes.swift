import Glibc

/// Seconds of processor time that the stages of a run took, summed over their threads.
package struct ProcessorTimes: Sendable, Equatable {
    /// Reading, decoding and resampling files.
    package var prepare = 0.0
    /// Running the model.
    package var model = 0.0
    /// Writing to both databases.
    package var store = 0.0

    mutating func add(_ seconds: Double, to stage: Backfill.Stage) {
        switch stage {
        case .prepare: prepare += seconds
        case .model: model += seconds
        case .store: store += seconds
        }
    }

    /// What the calling thread has used so far, by the C function `clock_gettime`.
    package static var ofThread: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
