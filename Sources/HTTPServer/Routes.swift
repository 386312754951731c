import Catalog
import HTTPTypes
import Hummingbird
import NIOCore
import Similarity
import Vectors

/// All addresses of the server, and what answers there.
struct Routes: Sendable {
    let library: AnswerLibrary
    let monitor: HealthMonitor
    let access: Access
    let hosts: Set<String>
    let version: String

    /// Slow work of all kinds shares these threads.
    private let work = BlockingWork(width: 4)
    private let metrics = RequestMetrics()
    private let thumbnails = Thumbnails()
    /// The most bytes of an uploaded picture.
    private static let uploadLimit = 20_000_000

    init(library: AnswerLibrary, monitor: HealthMonitor, access: Access, hosts: Set<String>, version: String) {
        self.library = library
        self.monitor = monitor
        self.access = access
        self.hosts = hosts
        self.version = version
    }

    /// The router with all gates before all routes.
    func router() -> Router<AnswerContext> {
        let router = Router(context: AnswerContext.self)
        router.addMiddleware {
            MetricsGate(metrics: metrics)
            ProblemGate()
            HostGate(hosts: hosts)
            KeyGate(access: access)
        }
        addHealth(to: router)
        router.get("/metrics", use: measurements)
        let api = router.group("/api/v1")
        api.get("/openapi.json") { _, _ in JSONBody.response(text: OpenAPIDocument.json) }
        api.get("/images/{id}", use: image)
        api.get("/images/{id}/similar", use: similarToImage)
        api.get("/images/{id}/thumbnail", use: thumbnail)
        api.post("/similar", use: similarToUpload)
        api.get("/search", use: search)
        api.get("/users/{id}/similarity-stats", use: userStatistics)
        api.get("/stats", use: statistics)
        api.get("/duplicates", use: duplicates)
        api.get("/failures", use: failures)
        return router
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
    }

    @Sendable private func measurements(_ request: Request, _ context: AnswerContext) async throws -> Response {
        guard context.caller == .owner else { throw Problem(.forbidden, "Measurements are for the owner's key.") }
        let queue = "# TYPE semblance_queue_length gauge\nsemblance_queue_length \(work.length)\n"
        var response = Response(
            status: .ok,
            body: .init(byteBuffer: ByteBuffer(string: metrics.text + monitor.metrics + queue))
        )
        response.headers[.contentType] = "text/plain; version=0.0.4"
        return response
    }

    @Sendable private func image(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let id = try question.id(context)
        return try await work.run { [library] in
            let catalog = try library.catalog()
            let image = try question.visibleImage(id, catalog)
            let space = try catalog.vectors?.activeSpace()
            let isEmbedded = try space.map { try catalog.embedding(of: id, in: $0) != nil } ?? false
            return try JSONBody.response(
                ImagePayload(image, try catalog.main.details(of: image), isEmbedded: isEmbedded)
            )
        }
    }

    @Sendable private func thumbnail(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let id = try question.id(context)
        return try await work.run { [library, thumbnails] in
            let image = try question.visibleImage(id, library.catalog())
            guard let file = library.sources.readFile(image) else {
                throw Problem(.notFound, "The file of image \(id) is not there, or may not be shown.")
            }
            guard let thumbnail = try? thumbnails.thumbnail(of: file.bytes, named: file.state) else {
                throw Problem(.unsupportedPicture, "The file of image \(id) is no picture that can be shown.")
            }
            var response = Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: thumbnail)))
            response.headers[.contentType] = "image/jpeg"
            return response
        }
    }

    @Sendable private func similarToImage(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let id = try question.id(context)
        return try await work.run { [library] in
            let catalog = try library.catalog()
            let image = try question.visibleImage(id, catalog)
            let scope = try question.scope(of: image, catalog)
            let service = try library.service()
            guard let embedding = try catalog.embedding(of: id, in: service.space) else {
                throw Problem(.notEmbedded, "Image \(id) has no embedding yet.")
            }
            return try Self.hits(service, catalog, embedding, excluding: id, scope, question)
        }
    }

    @Sendable private func similarToUpload(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let body = try await Deadline.limit(.seconds(15)) { try await request.body.collect(upTo: Self.uploadLimit) }
        return try await work.run { [library] in
            let service = try library.service()
            let embedding = try library.embedding(ofPicture: Array(body.readableBytesView), for: service)
            return try Self.hits(service, library.catalog(), embedding, excluding: nil, question.scope(), question)
        }
    }

    private static func hits(
        _ service: SimilarityService,
        _ catalog: Catalog,
        _ embedding: Embedding,
        excluding id: Int64?,
        _ scope: Scope,
        _ question: Question
    ) throws -> Response {
        let hits = try service.findSimilarImages(
            to: embedding,
            excluding: id,
            scope: scope,
            limit: question.limit,
            threshold: question.threshold
        )
        return try JSONBody.response(HitsPayload(hits.map { ($0, nil) }, catalog, model: service.space.space.model))
    }

    @Sendable private func search(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let words = try question.words()
        return try await work.run { [library] in
            let service = try library.service()
            let scope = question.scope()
            let (embedding, scale) = try library.words(words, scope, for: service)
            let hits = try service.searchByText(embedding, scale: scale, scope: scope, limit: question.limit)
            let catalog = try library.catalog()
            return try JSONBody.response(
                HitsPayload(hits.map { ($0.hit, $0.grade) }, catalog, model: service.space.space.model)
            )
        }
    }

    @Sendable private func userStatistics(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let user = try question.id(context)
        guard question.caller == .owner || question.caller == .user(user) else {
            throw Problem(.forbidden, "This key is for another user's images.")
        }
        return try await work.run { [library] in
            let stats = try library.service().getUserSimilarityStats(user, isReachable: library.sources.isReachable)
            return try JSONBody.response(UserStatisticsPayload(stats))
        }
    }

    @Sendable private func statistics(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        return try await work.run { [library] in
            let catalog = try library.catalog()
            let space = try catalog.vectors?.activeSpace()
            let model = space?.space.model ?? library.sources.model
            let statistics = try catalog.statistics(
                question.scope(),
                model: model,
                space: space,
                isReachable: library.sources.isReachable
            )
            return try JSONBody.response(StatisticsPayload(statistics, model: model))
        }
    }

    @Sendable private func duplicates(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        return try await work.run { [library] in
            let groups = try library.service().findDuplicates(scope: question.scope(), kinds: [.identical, .copies])
            return try JSONBody.response(DuplicatesPayload(groups))
        }
    }

    @Sendable private func failures(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        return try await work.run { [library] in
            let catalog = try library.catalog()
            let space = try catalog.vectors?.activeSpace()
            let model = space?.space.model ?? library.sources.model
            var failures: [FailureRecord] = []
            try catalog.survey(question.scope(), model: model, space: space) { page in
                failures += page.filter { ![.embedded, .unpublished].contains($0.condition) }.compactMap(\.failure)
                return true
            }
            return try JSONBody.response(FailuresPayload(failures, withMessages: question.caller == .owner))
        }
    }
}
