import Catalog
import HTTPTypes
import Hummingbird
import NIOCore
import Similarity
import SystemPackage
import Vectors

/// The gallery: pages for people, made on the server.
extension Routes {
    func addGallery(to router: Router<AnswerContext>) {
        router.get("/style.css") { _, _ in Pages.style }
        router.get("/script.js") { _, _ in Pages.script }
        router.get("/icon.svg") { _, _ in Pages.icon }
        router.get("/", use: page(newest))
        router.get("/pictures/{id}", use: page(picture))
        router.get("/search", use: page(wordsPage))
        router.post("/similar", use: uploadPage)
        router.get("/duplicates", use: page(duplicatesPage))
        router.get("/dashboard", use: page(dashboard))
        router.post("/backfill", use: changeBackfill)
        router.get("/login") { _, context in
            context.caller == nil ? pages.response(.login, [:]) : Pages.redirect(to: "/")
        }
        router.post("/login", use: login)
        router.post("/logout") { request, _ in
            Pages.redirect(to: "/", cookie: sessions.end(cookies: request.headers[.cookie]))
        }
    }

    /// What a page shows: its template and the values in it.
    private typealias Page = (name: Pages.Name, values: [String: Any])

    private func page(_ body: @escaping @Sendable (Question) throws -> Page) -> Handler {
        answer { question in
            let page = try body(question)
            return pages.response(page.name, common(question).merging(page.values) { $1 })
        }
    }

    private func common(_ question: Question) -> [String: Any] {
        ["isOwner": question.caller == .owner, "hasSession": access.needsKey, "words": question.text ?? ""]
    }

    // MARK: Pictures

    private static let pageLength = 60

    @Sendable private func newest(_ question: Question) throws -> Page {
        let catalog = try library.catalog()
        let images = try catalog.main.newestImages(
            before: question.before ?? .max,
            count: Self.pageLength,
            chats: catalog.chats(of: question.scope())
        )
        var values: [String: Any] = ["title": "Pictures", "tiles": try images.map { try tile($0, catalog) }]
        if images.isEmpty { values["note"] = "There are no pictures here." }
        if images.count == Self.pageLength, let last = images.last { values["next"] = "/?before=\(last.id)" }
        return (.pictures, values)
    }

    @Sendable private func picture(_ question: Question) throws -> Page {
        let catalog = try library.catalog()
        let image = try question.visibleImage(question.id, catalog)
        var values = try tile(image, catalog)
        values["title"] = "Picture \(image.id)"
        do {
            let service = try library.service()
            guard let embedding = try catalog.embedding(of: image.id, in: service.space) else {
                throw Problem(.notEmbedded, "This picture has no embedding yet.")
            }
            let scope = try question.scope(of: image, catalog)
            let hits = try nearest(service, embedding, excluding: image.id, scope, question.forPage)
            values["tiles"] = try hits.map { try tile($0, catalog) }
            if hits.isEmpty { values["note"] = "No other picture has an embedding yet." }
        } catch let problem as Problem where problem.code == .notEmbedded || problem.code == .badRequest {
            values["note"] = problem.detail
        }
        return (.picture, values)
    }

    @Sendable private func wordsPage(_ question: Question) throws -> Page {
        let words = try question.words()
        let catalog = try library.catalog()
        let hits = try found(words, question.forPage)
        let tiles = try hits.map { hit in
            try tile(hit.hit, catalog).merging(["grade": hit.grade.rawValue]) { $1 }
        }
        return (
            .pictures,
            ["title": "“\(words)”", "tiles": tiles, "note": hits.isEmpty ? "Nothing shows that." as Any : false]
        )
    }

    @Sendable private func uploadPage(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let question = try Question(request, context)
        let body = try await uploadedBody(request)
        return try await work.run {
            guard let file = UploadedFile(body.readableBytesView, contentType: request.headers[.contentType]) else {
                throw Problem(.badRequest, "No file came with the form.")
            }
            let (service, catalog) = (try library.service(), try library.catalog())
            let embedding = try library.embedding(ofPicture: file.bytes, for: service)
            let hits = try nearest(service, embedding, excluding: nil, question.scope(), question.forPage)
            let values: [String: Any] = [
                "title": "Looks like your picture", "tiles": try hits.map { try tile($0, catalog) },
                "note": hits.isEmpty ? "No other picture has an embedding yet." as Any : false,
            ]
            return pages.response(.pictures, common(question).merging(values) { $1 })
        }
    }

    /// What a tile shows of an image.
    private func tile(_ image: ImageRecord, _ catalog: Catalog) throws -> [String: Any] {
        let details = try catalog.main.details(of: image)
        let parts = [
            details.chatTitle ?? details.chatID.map { "chat \($0)" }, details.createdAt.map { String($0.prefix(16)) },
        ]
        let caption = parts.compactMap { $0 }.joined(separator: " · ")
        return [
            "id": image.id, "caption": caption, "alt": "Picture \(image.id), \(caption)", "width": 152, "height": 152,
        ]
    }

    private func tile(_ hit: SimilarityService.Hit, _ catalog: Catalog) throws -> [String: Any] {
        let hundredths = Int((hit.cosine * 100).rounded())
        let grade: Any =
            switch hit.cosine {
            case 0.95...: "nearly the same"
            case 0.85...: "very alike"
            case SimilarityService.usualThreshold...: "alike"
            default: false
            }
        return try tile(hit.image, catalog).merging(["score": "\(hundredths) %", "grade": grade]) { $1 }
    }

    @Sendable private func duplicatesPage(_ question: Question) throws -> Page {
        let catalog = try library.catalog()
        let groups = try library.service().findDuplicates(scope: question.scope(), kinds: [.identical, .copies])
        let shown: [[String: Any]] = try groups.prefix(50).map { group in
            [
                "kind": "\(group.sameness)", "freed": "\(group.bytesFreed / 1000) kB could be freed",
                "tiles": try group.images.prefix(12).map { try tile($0, catalog) },
            ]
        }
        let note: Any =
            groups.isEmpty
            ? "No picture is here twice." : groups.count > 50 ? "The 50 largest of \(groups.count) groups." : false
        return (.duplicates, ["title": "Duplicates", "groups": shown, "note": note])
    }

    // MARK: The dashboard

    @Sendable private func dashboard(_ question: Question) throws -> Page {
        try question.requireOwner()
        let catalog = try library.catalog()
        let counted = monitor.statistics ?? Statistics()
        let active = try catalog.vectors?.activeSpace()
        let spaces: [[String: Any]] = try (catalog.vectors?.spaces() ?? []).map { space in
            [
                "model": space.space.model, "dimension": space.space.dimension,
                "count": try catalog.vectors?.vectorCount(in: space) ?? 0,
                "state": space == active ? "answers" : "beside it",
            ]
        }
        let failures: [[String: Any]] = try failed(question).prefix(100).map { image, failure in
            [
                "id": image.id, "kind": failure.kind.rawValue, "message": failure.message,
                "file": image.paths.first?.string ?? "",
            ]
        }
        let counts = [
            ("embedded", counted.embedded), ("without embedding", counted.pending), ("stale", counted.staleTotal),
            ("without a file", counted.unreachable), ("failed", counted.failureTotal),
        ].map { ["name": $0, "count": $1] as [String: Any] }
        return (
            .dashboard,
            [
                "title": "Dashboard", "coverage": (counted.coverage * 10).rounded() / 10, "total": counted.total,
                "counts": counts, "job": job, "spaces": spaces, "failures": failures,
            ]
        )
    }

    private var job: [String: Any] {
        let state = embedder.backfill
        let text = state.message ?? "\(state.done) of \(state.total), \(state.failed) failed"
        return [
            "state": state.state.rawValue, "done": state.done, "max": max(state.total, 1), "text": text,
            "isRunning": state.state == .running,
        ]
    }

    private struct Change: Decodable {
        let `do`: String
    }

    @Sendable private func changeBackfill(_ request: Request, _ context: AnswerContext) async throws -> Response {
        try Question(request, context).requireOwner()
        let change = try await form(Change.self, request)
        return try await work.run {
            if change.do == "cancel" { embedder.cancelBackfill() } else { _ = try embedder.startBackfill() }
            return Pages.redirect(to: "/dashboard")
        }
    }

    // MARK: Logging in

    private struct Login: Decodable {
        let key: String
    }

    @Sendable private func login(_ request: Request, _ context: AnswerContext) async throws -> Response {
        let login = try await form(Login.self, request)
        guard let caller = access.caller(authorization: "Bearer " + login.key) else {
            return pages.response(.login, ["note": "That is not a key of this server."], status: .unauthorized)
        }
        return Pages.redirect(to: "/", cookie: sessions.begin(for: caller))
    }

    private func form<Form: Decodable>(_ type: Form.Type, _ request: Request) async throws -> Form {
        let body = try await Deadline.limit(.seconds(15)) { try await request.body.collect(upTo: 4096) }
        do {
            return try URLEncodedFormDecoder().decode(type, from: String(buffer: body))
        } catch {
            throw Problem(.badRequest, "The form is not understood.")
        }
    }
}
