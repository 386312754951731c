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
    let webhook: Webhook?

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
            KeyGate(access: access, sessions: sessions, callable: webhook == nil ? [] : [Webhook.path])
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
        if let webhook { add(webhook, to: router) }
    }

    /// The secret is looked at before the body is, and what is kept is kept before Telegram is told so.
    private func add(_ webhook: Webhook, to router: Router<AnswerContext>) {
        let secret = Secret(webhook.secret)
        router.post("\(Webhook.path)") { request, _ in
            let sent = HTTPField.Name("X-Telegram-Bot-Api-Secret-Token").flatMap { request.headers[$0] }
            guard let sent, secret.matches(sent) else { return Response(status: .unauthorized) }
            guard request.headers[.contentType]?.hasPrefix("application/json") == true else {
                throw Problem(.badRequest, "An update is JSON.")
            }
            let body = try await Deadline.limit(.seconds(15)) {
                try await request.body.collect(upTo: Webhook.largestBody)
            }
            let isUpdate = try await work.run { try webhook.receive(Array(body.readableBytesView)) }
            guard isUpdate else { throw Problem(.badRequest, "This is no update.") }
            return Response(status: .ok)
        }
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
