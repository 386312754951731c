import Glibc

/// A thread of the operating system for work that blocks: file reads, decoding, database writes.
///
/// Such work never runs on Swift's cooperative pool, which has only as many threads as the machine has cores.
final class WorkerThread: Sendable {
    private let thread: pthread_t

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread.
    init(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Work(body)).toOpaque()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            argument
        )
        precondition(status == 0, "the system gives no more threads")
        self.thread = thread
    }

    /// Waits for the thread to end; called once.
    func join() { pthread_join(thread, nil) }
}
