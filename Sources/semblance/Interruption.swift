import Backfill
import Foundation
import Glibc
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into a request to stop; a second signal ends the program at once.
///
/// Must be made before any other thread is: threads inherit the blocked signals, and one thread of its own waits for
/// them.
final class Interruption: Sendable {
    private let received = Mutex<Int32?>(nil)

    /// The signal that asked for the stop.
    var signal: Int32? { received.withLock { $0 } }

    init(_ stop: StopSignal) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waited = signals
        Thread.detachNewThread { [self] in
            while true {
                var set = waited
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { continue }
                let isSecond = received.withLock { received in
                    defer { received = received ?? number }
                    return received != nil
                }
                if isSecond { _exit(128 + number) }
                Console.say("Stopping after the batch in flight; a second signal ends at once.")
                stop.raise()
            }
        }
    }
}
