import Catalog
import HTTPTypes
import Hummingbird
import NIOCore
import Similarity
import Vectors

/// What is asked about images.
extension Routes {
    /// The most bytes of an uploaded picture.
    private static let uploadLimit = 20_000_000

    func addImages(to api: RouterGroup<AnswerContext>) {
        api.get("/images/{id}", use: answer(image))
        api.get("/images/{id}/similar", use: answer(similarToImage))
        api.get("/images/{id}/thumbnail", use: answer(thumbnail))
        api.post("/similar", use: similarToUpload)
        api.get("/search", use: answer(search))
        api.get("/users/{id}/similarity-stats", use: answer(userStatistics))
        api.get("/stats", use: answer(statistics))
        api.get("/duplicates", use: answer(duplicates))
        api.get("/failures", use: answer(failures))
    }

    @Sendable private func image(_ question: Question) throws -> Response {
        let catalog = try library.catalog()
        let image = try question.visibleImage(question.id, catalog)
        let space = try catalog.vectors?.activeSpace()
        let isEmbedded = try space.map { try catalog.embedding(of: image.id, in: $0) != nil } ?? false
        return try JSONBody.response(
            ImagePayload(image, try catalog.main.details(of: image), isEmbedded: isEmbedded)
        )
    }

    @Sendable private func thumbnail(_ question: Question) throws -> Response {
        let image = try question.visibleImage(question.id, library.catalog())
        guard let file = library.sources.readFile(image) else {
            throw Problem(.notFound, "The file of image \(image.id) is not there, or may not be shown.")
        }
        guard let thumbnail = try? thumbnails.thumbnail(of: file.bytes, question.size, named: file.state) else {
            throw Problem(.unsupportedPicture, "The file of image \(image.id) is no picture that can be shown.")
        }
        var response = Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: thumbnail)))
        response.headers[.contentType] = "image/jpeg"
        return response
    }

    @Sendable private func similarToImage(_ question: Question) throws -> Response {
        let catalog = try library.catalog()
        let image = try question.visibleImage(question.id, catalog)
        let scope = try question.scope(of: image, catalog)
        let service = try library.service()
        guard let embedding = try catalog.embedding(of: image.id, in: service.space) else {
            throw Problem(.notEmbedded, "Image \(image.id) has no embedding yet.")
        }
        return try hits(service, catalog, embedding, excluding: image.id, scope, question)
    }

    @Sendable private func similarToUpload(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let body = try await uploadedBody(request)
        return try await work.run {
            let service = try library.service()
            let embedding = try library.embedding(ofPicture: Array(body.readableBytesView), for: service)
            return try hits(service, library.catalog(), embedding, excluding: nil, question.scope(), question)
        }
    }

    /// A body that holds a picture.
    func uploadedBody(_ request: Request) async throws -> ByteBuffer {
        try await Deadline.limit(.seconds(15)) { try await request.body.collect(upTo: Self.uploadLimit) }
    }

    private func hits(
        _ service: SimilarityService,
        _ catalog: Catalog,
        _ embedding: Embedding,
        excluding id: Int64?,
        _ scope: Scope,
        _ question: Question
    ) throws -> Response {
        let hits = try nearest(service, embedding, excluding: id, scope, question)
        return try JSONBody.response(HitsPayload(hits.map { ($0, nil) }, catalog, model: service.space.space.model))
    }

    func nearest(
        _ service: SimilarityService,
        _ embedding: Embedding,
        excluding id: Int64?,
        _ scope: Scope,
        _ question: Question
    ) throws -> [SimilarityService.Hit] {
        try metrics.timing("search") {
            try service.findSimilarImages(
                to: embedding,
                excluding: id,
                scope: scope,
                limit: question.limit,
                threshold: question.threshold
            )
        }
    }

    @Sendable private func search(_ question: Question) throws -> Response {
        let hits = try found(question.words(), question)
        let model = try library.service().space.space.model
        return try JSONBody.response(
            HitsPayload(hits.map { ($0.hit, $0.grade) }, library.catalog(), model: model)
        )
    }

    /// What shows some words, within what the caller may see.
    func found(_ words: String, _ question: Question) throws -> [(hit: SimilarityService.Hit, grade: TextScale.Grade)] {
        let service = try library.service()
        let scope = question.scope()
        let (embedding, scale) = try library.words(words, scope, for: service)
        return try metrics.timing("search") {
            try service.searchByText(embedding, scale: scale, scope: scope, limit: question.limit)
        }
    }

    @Sendable private func userStatistics(_ question: Question) throws -> Response {
        let user = try question.id
        guard question.caller == .owner || question.caller == .user(user) else {
            throw Problem(.forbidden, "This key is for another user's images.")
        }
        let stats = try library.service().getUserSimilarityStats(user, isReachable: library.sources.isReachable)
        return try JSONBody.response(UserStatisticsPayload(stats))
    }

    @Sendable private func statistics(_ question: Question) throws -> Response {
        let (statistics, model) = try library.statistics(question.scope())
        return try JSONBody.response(StatisticsPayload(statistics, model: model))
    }

    @Sendable private func duplicates(_ question: Question) throws -> Response {
        let groups = try library.service().findDuplicates(scope: question.scope(), kinds: [.identical, .copies])
        return try JSONBody.response(DuplicatesPayload(groups))
    }

    @Sendable private func failures(_ question: Question) throws -> Response {
        let failures = try failed(question).map(\.failure)
        return try JSONBody.response(FailuresPayload(failures, withMessages: question.caller == .owner))
    }

    /// The images that could not be embedded, with the reasons.
    func failed(_ question: Question) throws -> [(image: ImageRecord, failure: FailureRecord)] {
        let (catalog, space, model) = try library.answering()
        var found: [(ImageRecord, FailureRecord)] = []
        try catalog.survey(question.scope(), model: model, space: space) { page in
            for surveyed in page where ![.embedded, .unpublished].contains(surveyed.condition) {
                if let failure = surveyed.failure { found.append((surveyed.image.withoutVector, failure)) }
            }
            return true
        }
        return found
    }
}
