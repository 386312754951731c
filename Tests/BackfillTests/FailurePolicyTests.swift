import Testing

@testable import Backfill
@testable import Catalog

@Suite("A recorded failure")
struct FailurePolicyTests {
    private let policy = FailurePolicy(retriesAll: false, now: 1_000_000)

    private func failure(_ kind: FailureRecord.Class, fingerprint: String? = "f", next: Double? = nil) -> FailureRecord
    {
        FailureRecord(
            imageID: 1,
            fileUniqueID: "a",
            kind: kind,
            fingerprint: fingerprint,
            attempts: 1,
            nextAttempt: next,
            message: ""
        )
    }

    @Test("of a damaged, unsupported or too large file is tried again only when the file has changed")
    func permanent() {
        for kind in [FailureRecord.Class.corrupt, .unsupported, .tooLarge, .model] {
            #expect(!policy.shouldTry(failure(kind), fingerprint: "f"))
            #expect(policy.shouldTry(failure(kind), fingerprint: "g"))
        }
    }

    @Test("of an image on which programs died is left alone, whatever its file")
    func abandoned() {
        #expect(!policy.shouldTry(failure(.abandoned, fingerprint: nil), fingerprint: "f"))
        #expect(!policy.shouldTry(failure(.abandoned, fingerprint: nil), fingerprint: nil))
    }

    @Test("of a missing file is tried again as soon as a file is there")
    func missing() {
        #expect(!policy.shouldTry(failure(.missing, fingerprint: nil), fingerprint: nil))
        #expect(policy.shouldTry(failure(.missing, fingerprint: nil), fingerprint: "f"))
    }

    @Test("of an unreadable file is tried again when it is due, also when the clock was set back")
    func transient() {
        #expect(!policy.shouldTry(failure(.unreadable, next: 1_000_100), fingerprint: "f"))
        #expect(policy.shouldTry(failure(.unreadable, next: 999_999), fingerprint: "f"))
        #expect(policy.shouldTry(failure(.unreadable, next: 99_000_000), fingerprint: "f"))
    }

    @Test("is tried again whatever it is where the user wants that")
    func retried() {
        let eager = FailurePolicy(retriesAll: true, now: 0)
        for kind in FailureRecord.Class.allCases { #expect(eager.shouldTry(failure(kind), fingerprint: "f")) }
    }

    @Test("waits twice as long after each attempt, and never longer than a day")
    func delays() {
        let image = ImageRecord(
            id: 1,
            fileUniqueID: "a",
            chatID: nil,
            isCompleted: true,
            paths: [],
            stored: .nothing,
            label: nil
        )
        var record: FailureRecord?
        var delays: [Double] = []
        for _ in 1...40 {
            let fault = SourceFiles.Fault(kind: .unreadable, message: "", fingerprint: "f")
            record = policy.record(fault, image: image, previous: record)
            delays.append((record?.nextAttempt ?? 0) - policy.now)
        }
        #expect(delays.prefix(6) == [3600, 7200, 14_400, 28_800, 57_600, 86_400])
        #expect(delays.allSatisfy { 3600...86_400 ~= $0 })
        #expect(record?.attempts == 40)
    }
}
