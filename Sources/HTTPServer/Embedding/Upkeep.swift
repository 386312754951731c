import ServiceLifecycle

/// Lets the embedder look around again and again, and ends it when the server stops.
struct Upkeep: Service {
    let embedder: any ImageEmbedder
    private static let pause = Duration.seconds(2)

    func run() async throws {
        let work = BlockingWork(width: 2)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await work.run { embedder.lookAround() }
                try? await Task.sleep(for: Self.pause)
            }
        }
        try? await work.run { embedder.stop() }
    }
}
