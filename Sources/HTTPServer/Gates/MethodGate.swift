import HTTPTypes
import Hummingbird

/// Says which methods an address takes, where it is asked with another one.
struct MethodGate: RouterMiddleware {
    typealias Context = AnswerContext

    /// What is there.
    struct Addresses: Sendable {
        private let known: [(parts: [String], method: HTTPRequest.Method)]

        init(_ router: Router<AnswerContext>) {
            known = router.routes.map { (Self.parts($0.path.description), $0.method) }
        }

        private static func parts(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }

        /// The methods of an address, each once.
        func methods(of path: String) -> [String] {
            let parts = Self.parts(path)
            let found = known.filter { known in
                known.parts.count == parts.count
                    && zip(known.parts, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
            }
            return Set(found.map(\.method.rawValue)).sorted()
        }
    }

    let addresses: Addresses

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError where error.status == .notFound {
            let methods = addresses.methods(of: request.uri.path)
            guard !methods.isEmpty, !methods.contains(request.method.rawValue) else { throw error }
            throw Problem(.wrongMethod, "This address takes \(methods.joined(separator: ", ")).", methods: methods)
        }
    }
}
