import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The running service: the monitor, then the server that stands on it; stopped in reverse.
package struct AnswerServer: Sendable {
    /// Where and for whom it listens.
    package struct Settings: Sendable {
        package let host: String
        package let port: Int
        package let access: Access
        /// Names under which it answers beside the address itself.
        package let hostNames: [String]
        package let version: String

        package init(host: String, port: Int, access: Access, hostNames: [String], version: String) {
            self.host = host
            self.port = port
            self.access = access
            self.hostNames = hostNames
            self.version = version
        }

        /// The hosts that a request may name.
        var hosts: Set<String> {
            Set(([host, "localhost", "127.0.0.1", "::1"] + hostNames).map { $0.lowercased() })
        }
    }

    private let settings: Settings
    private let library: AnswerLibrary
    private let embedder: any ImageEmbedder
    private let metrics: Metrics
    private let companion: Companion?

    package init(
        _ library: AnswerLibrary,
        _ embedder: any ImageEmbedder,
        metrics: Metrics,
        settings: Settings,
        companion: Companion? = nil
    ) {
        self.companion = companion
        self.library = library
        self.embedder = embedder
        self.metrics = metrics
        self.settings = settings
    }

    /// Serves until SIGTERM or SIGINT; requests in flight have eight seconds to end.
    ///
    /// - Parameter onReady: Gets the port, once connections are taken.
    package func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
        var logger = Logger(label: "semblance")
        logger.logLevel = .error
        let monitor = HealthMonitor(library, embedder, companion: companion)
        let application = Application(
            router: try Self.routes(library, monitor, embedder, metrics, settings, companion?.webhook).router(),
            server: .http1(configuration: Self.connections),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                serverName: "semblance",
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)
            ),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        var configuration = ServiceGroupConfiguration(
            services: [monitor, Upkeep(embedder: embedder)] + (companion.map { [$0.service] } ?? []) + [application],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(8)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// At most 1,024, and so many fewer than the process may have files open that the databases and pictures keep some.
    private static let mostConnections: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 128 }
        return max(16, min(1024, Int(clamping: limit.rlim_cur) - 128))
    }()
    private static let counts = ConnectionCounts(limit: 32)

    /// A connection without a whole head in twenty seconds ends, however steadily it drips: only what was parsed counts as
    /// a sign of life.
    private static let connections = HTTP1Channel.Configuration(
        additionalChannelHandlers: [ConnectionGuard(counts, patience: .seconds(20))],
        idleTimeout: .seconds(20),
        httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 8192,
            maxHeaderListSize: 16_384,
            maxHeaderFieldCount: 64
        )
    )

    static func routes(
        _ library: AnswerLibrary,
        _ monitor: HealthMonitor,
        _ embedder: any ImageEmbedder,
        _ metrics: Metrics,
        _ settings: Settings,
        _ webhook: Webhook? = nil
    ) throws -> Routes {
        Routes(
            library: library,
            monitor: monitor,
            embedder: embedder,
            metrics: metrics,
            access: settings.access,
            hosts: settings.hosts.union(webhook.map { [$0.host.lowercased()] } ?? []),
            version: settings.version,
            pages: try Pages(),
            webhook: webhook
        )
    }
}
