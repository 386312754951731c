import Catalog
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// What is done on behalf of who asks: one image embedded now, or all of them as a job.
extension Routes {
    func addJobs(to api: RouterGroup<AnswerContext>) {
        api.post("/images/{id}/embed", use: answer(embedImage))
        api.get("/jobs/backfill", use: backfill)
        api.post("/jobs/backfill", use: answer(startBackfill))
        api.delete("/jobs/backfill", use: answer(cancelBackfill))
    }

    @Sendable private func embedImage(_ question: Question) throws -> Response {
        let image = try question.visibleImage(question.id, library.catalog())
        switch try embedder.embed(image.id) {
        case .embedded: return try JSONBody.response(EmbeddedPayload(image_id: image.id))
        case .notCompleted: throw Problem(.notCompleted, "The bot has not completed image \(image.id) yet.")
        case .failed(let kind): throw Problem(.notEmbeddable, "Image \(image.id) cannot be embedded: \(kind).")
        }
    }

    @Sendable private func startBackfill(_ question: Question) throws -> Response {
        try question.requireOwner()
        guard try embedder.startBackfill() else {
            throw Problem(.alreadyRunning, "A backfill is running already.")
        }
        return try JSONBody.response(embedder.backfill, status: .accepted)
    }

    @Sendable private func cancelBackfill(_ question: Question) throws -> Response {
        try question.requireOwner()
        embedder.cancelBackfill()
        return try JSONBody.response(embedder.backfill, status: .accepted)
    }

    /// How far the backfill is: once, or again and again until it is over where the caller takes server-sent events.
    @Sendable private func backfill(_ request: Request, _ context: AnswerContext) async throws -> Response {
        try Question(request, context).requireOwner()
        guard request.headers[.accept]?.contains("text/event-stream") == true else {
            return try JSONBody.response(embedder.backfill)
        }
        var response = Response(status: .ok, body: progress())
        response.headers[.contentType] = "text/event-stream"
        return response
    }

    private static let progressPause = Duration.milliseconds(500)

    /// An event at each change, and a comment where nothing changes for a while, which finds out readers who are gone.
    private func progress() -> ResponseBody {
        ResponseBody { [embedder] writer in
            var last: BackfillState?
            var silence = 0
            while true {
                let state = embedder.backfill
                silence += 1
                if state != last {
                    let data = String(decoding: try JSONBody.encode(state), as: UTF8.self)
                    try await writer.write(ByteBuffer(string: "event: progress\ndata: \(data)\n\n"))
                    (last, silence) = (state, 0)
                } else if silence >= 20 {
                    try await writer.write(ByteBuffer(string: ":\n\n"))
                    silence = 0
                }
                guard state.state == .running, !Task.isShuttingDownGracefully else { break }
                try await Task.sleep(for: Self.progressPause)
            }
            try await writer.finish(nil)
        }
    }
}

/// An image that is embedded now.
struct EmbeddedPayload: Encodable {
    let image_id: Int64
    let embedded = true
}
