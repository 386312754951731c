import Catalog
import ImageDecoding

/// What becomes of an image that failed, and when it is tried again.
///
/// A damaged, unsupported or too large file is not tried again until the file changes; a missing one as soon as a file
/// is there; an unreadable one after an hour, then two, then four, at most a day; one that programs died on only when
/// somebody says so.
struct FailurePolicy: Sendable {
    /// Whether recorded failures are tried again regardless.
    let retriesAll: Bool
    /// Seconds since 1970.
    let now: Double

    private static let firstDelay = 3600.0
    private static let longestDelay = 86_400.0

    /// Whether an image with a recorded failure is worth trying now.
    ///
    /// - Parameter fingerprint: The present state of its file; `nil` where none can be opened.
    func shouldTry(_ failure: FailureRecord, fingerprint: String?) -> Bool {
        guard !retriesAll else { return true }
        guard failure.kind != .abandoned else { return false }
        guard fingerprint == failure.fingerprint else { return fingerprint != nil || failure.kind != .missing }
        guard let next = failure.nextAttempt else { return false }
        let isClockWrong = next - now > Self.longestDelay
        return now >= next || isClockWrong
    }

    /// The record of a failure.
    func record(_ fault: SourceFiles.Fault, image: ImageRecord, previous: FailureRecord?) -> FailureRecord {
        let attempts = (previous?.attempts ?? 0) + 1
        let delay = Self.firstDelay * Double(1 << min(attempts - 1, 10))
        return FailureRecord(
            imageID: image.id,
            fileUniqueID: image.fileUniqueID,
            kind: fault.kind,
            fingerprint: fault.fingerprint,
            attempts: attempts,
            nextAttempt: fault.kind == .unreadable ? now + min(delay, Self.longestDelay) : nil,
            message: fault.message
        )
    }
}

extension SourceFiles.Fault {
    /// What a decoder's refusal means for the image.
    init(_ error: ImageDecodingError, fingerprint: String) {
        let kind: FailureRecord.Class =
            switch error.code {
            case .unsupported: .unsupported
            case .tooLarge: .tooLarge
            default: .corrupt
            }
        self.init(kind: kind, message: error.description, fingerprint: fingerprint)
    }
}
