import Testing

@testable import semblance

@Suite("The last fault of work that is done again and again")
struct LastFaultTests {
    private struct Fault: Error {}

    @Test("makes it rest for a minute, is news once, and is forgotten when the work goes well")
    func rest() {
        let (fault, start) = (LastFault(), ContinuousClock.now)
        #expect(!fault.isResting(at: start) && !fault.isStanding)
        #expect(fault.keep(Fault(), at: start) && !fault.keep(Fault(), at: start))
        #expect(fault.isResting(at: start + .seconds(59)) && !fault.isResting(at: start + .seconds(61)))
        #expect(fault.isStanding && fault.keep(CancellationError(), at: start))
        fault.forget()
        #expect(!fault.isResting(at: start) && !fault.isStanding)
    }
}
