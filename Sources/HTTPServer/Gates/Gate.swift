import HTTPTypes
import Hummingbird
import Logging

/// What a request carries on its way: who asks.
struct AnswerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// `nil` for nobody that is known, who sees nothing but whether the server lives.
    var caller: Access.Caller?

    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }
}

/// The first thing that every request meets: turns errors into problems, and hardens every answer.
struct ProblemGate: RouterMiddleware {
    typealias Context = AnswerContext
    let pages: Pages

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = Problem(error)
            if problem.code == .failed { context.logger.error("\(type(of: error)): \(error)") }
            response = Self.isForPerson(request) ? page(problem) : problem.response
        }
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    /// Whether a browser asks for a page.
    private static func isForPerson(_ request: Request) -> Bool {
        let isProgrammatic = ["/api/", "/health", "/metrics"].contains { request.uri.path.hasPrefix($0) }
        return !isProgrammatic && request.headers[.accept]?.contains("text/html") == true
    }

    private func page(_ problem: Problem) -> Response {
        guard problem.code != .unauthorized else { return Pages.redirect(to: "/login") }
        let values = ["title": problem.status.reasonPhrase, "note": problem.detail]
        return pages.response(.problem, values, status: problem.status)
    }

    private static let headers: [(HTTPField.Name, String)] = [
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "private, no-store"),
        (
            "Content-Security-Policy",
            "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}

/// Lets a request through only where it names a host that is ours: a page that points its own name at our address gets
/// nothing.
struct HostGate: RouterMiddleware {
    typealias Context = AnswerContext
    /// The names, without ports, in lower case.
    let hosts: Set<String>

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        // The first Host is the authority; a second one stands among the other fields.
        let isAmbiguous = Self.host.map { request.headers[$0] != nil } ?? false
        guard !isAmbiguous, hosts.contains(Self.name(in: request.head.authority ?? "")) else {
            throw Problem(.wrongHost, "This server does not answer under that name.")
        }
        return try await next(request, context)
    }

    private static let host = HTTPField.Name("Host")

    static func name(in authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return authority[authority.index(after: authority.startIndex)..<end].lowercased()
        }
        return authority.prefix { $0 != ":" }.lowercased()
    }
}

/// Finds out who asks.
///
/// Without a key, or with a wrong one, only the routes under `/health` answer, and say no more than whether all is well, and
/// what logging in to the gallery takes.
struct KeyGate: RouterMiddleware {
    typealias Context = AnswerContext
    let access: Access
    let sessions: Sessions
    /// Addresses that want another proof than a key, and see to it themselves.
    let callable: Set<String>
    let rate = RateLimit()
    private static let open: Set = [
        "/health", "/health/live", "/health/ready", "/login", "/style.css", "/script.js", "/icon.svg",
    ]

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.caller = access.caller(authorization: request.headers[.authorization])
        context.caller = context.caller ?? sessions.caller(cookies: request.headers[.cookie])
        guard !Self.open.union(callable).contains(request.uri.path) else { return try await next(request, context) }
        guard let caller = context.caller else {
            throw Problem(.unauthorized, "Send a key: Authorization: Bearer KEY.")
        }
        if access.needsKey { try rate.count(caller) }
        return try await next(request, context)
    }
}

/// Refuses what another site's page sends on behalf of its visitor: a browser says where a request that changes something
/// comes from, and other programs say nothing.
struct OriginGate: RouterMiddleware {
    typealias Context = AnswerContext

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        let isHarmless = request.method == .get || request.method == .head
        guard isHarmless || Self.isOwn(request) else {
            throw Problem(.crossOrigin, "The request comes from another site's page.")
        }
        return try await next(request, context)
    }

    private static func isOwn(_ request: Request) -> Bool {
        if let site = fetchSite.flatMap({ request.headers[$0] }) { return site == "same-origin" || site == "none" }
        guard let origin = request.headers[.origin] else { return true }
        return origin.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init)
            == request.head.authority
    }

    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")
}
