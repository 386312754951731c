import HTTPTypes
import Hummingbird
import NIOCore

/// All addresses of the server, and what answers there.
struct Routes: Sendable {
    let library: AnswerLibrary
    let monitor: HealthMonitor
    let embedder: any ImageEmbedder
    let metrics: Metrics
    let access: Access
    let hosts: Set<String>
    let version: String
    let pages: Pages

    /// Slow work of all kinds shares these threads.
    let work = BlockingWork(width: 4)
    let thumbnails = Thumbnails()
    let sessions = Sessions()

    /// The router with all gates before all routes.
    func router() -> Router<AnswerContext> {
        let bare = Router(context: AnswerContext.self)
        addRoutes(to: bare)
        let router = Router(context: AnswerContext.self)
        router.addMiddleware {
            MetricsGate(metrics: metrics)
            ProblemGate(pages: pages)
            HostGate(hosts: hosts)
            OriginGate()
            KeyGate(access: access, sessions: sessions)
            MethodGate(addresses: .init(bare))
        }
        addRoutes(to: router)
        return router
    }

    private func addRoutes(to router: Router<AnswerContext>) {
        addHealth(to: router)
        let api = router.group("/api/v1")
        api.get("/openapi.json") { _, _ in JSONBody.response(text: OpenAPIDocument.json) }
        addImages(to: api)
        addJobs(to: api)
        addGallery(to: router)
    }

    typealias Handler = @Sendable (Request, AnswerContext) async throws -> Response

    /// Answers by work that blocks, once the question is checked.
    func answer(_ body: @escaping @Sendable (Question) throws -> Response) -> Handler {
        { [work] request, context in
            let question = try Question(request, context)
            return try await work.run { try body(question) }
        }
    }

    private func addHealth(to router: Router<AnswerContext>) {
        router.get("/health") { _, context in
            let health = monitor.health(version: version)
            guard context.caller == .owner else {
                return try JSONBody.response(Health.Public(status: health.status), status: health.httpStatus)
            }
            return try JSONBody.response(health, status: health.httpStatus)
        }
        router.get("/health/live") { _, _ in try JSONBody.response(["status": "live"]) }
        router.get("/health/ready") { _, _ in
            let isReady = monitor.health(version: version).status != .unhealthy
            return try JSONBody.response(
                ["status": isReady ? "ready" : "not ready"],
                status: isReady ? .ok : .serviceUnavailable
            )
        }
        router.get("/metrics") { request, context in
            try Question(request, context).requireOwner()
            let queue = "# TYPE semblance_queue_length gauge\nsemblance_queue_length \(work.length)\n"
            let text = metrics.text + monitor.metrics + queue
            var response = Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: text)))
            response.headers[.contentType] = "text/plain; version=0.0.4"
            return response
        }
    }
}
