import Catalog
import EmbeddingModel
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Why a request has no answer, after RFC 9457: for people a sentence, for programs a code that stays the same.
///
/// Nothing of the inside goes out: no SQL, no path, no stack.
struct Problem: Error, Equatable {
    /// What went wrong.
    enum Code: String, Sendable, CaseIterable {
        case unauthorized, forbidden
        case notFound = "not-found"
        case unknownUser = "unknown-user"
        case wrongMethod = "wrong-method"
        case badRequest = "bad-request"
        case wrongHost = "wrong-host"
        case tooLarge = "too-large"
        case tooSlow = "too-slow"
        case unsupportedPicture = "unsupported-picture"
        case notEmbedded = "not-embedded"
        case notEmbeddable = "not-embeddable"
        case notCompleted = "not-completed"
        case alreadyRunning = "already-running"
        case crossOrigin = "cross-origin"
        case noTextTower = "no-text-tower"
        case modelMissing = "model-missing"
        case databaseBusy = "database-busy"
        case databaseUnavailable = "database-unavailable"
        case overloaded
        case tooMany = "too-many"
        case failed = "internal-error"
    }

    let code: Code
    let detail: String
    /// What the address takes, where it was asked with another method.
    let methods: [String]

    init(_ code: Code, _ detail: String, methods: [String] = []) {
        self.code = code
        self.detail = detail
        self.methods = methods
    }

    /// What an error of ours means to somebody outside.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as CatalogError where error.code == .unknownUser:
            self.init(.unknownUser, "No such user is in the bot's database.")
        case let error as CatalogError where error.code == .locked || error.code == .unfinished:
            self.init(.databaseBusy, "The database is locked by another program; ask again.")
        case let error as EmbeddingModelError where error.code == .noTextTower:
            self.init(.noTextTower, "The model has no text tower, so that words cannot be searched for.")
        case is EmbeddingModelError: self.init(.modelMissing, "The model is not here, or cannot be used.")
        case is CatalogError: self.init(.databaseUnavailable, "The database cannot be read.")
        case let error as any HTTPResponseError where error.status == .contentTooLarge:
            self.init(.tooLarge, "The request is larger than is taken.")
        case let error as any HTTPResponseError where error.status == .notFound:
            self.init(.notFound, "There is nothing at this address.")
        case let error as any HTTPResponseError where error.status.kind == .clientError:
            self.init(.badRequest, "The request is not understood.")
        default: self.init(.failed, "Something went wrong inside; the server's log says what.")
        }
    }

    /// The status that goes with the code.
    var status: HTTPResponse.Status {
        switch code {
        case .unauthorized: .unauthorized
        case .forbidden, .crossOrigin: .forbidden
        case .notFound, .unknownUser: .notFound
        case .wrongMethod: .methodNotAllowed
        case .badRequest: .badRequest
        case .wrongHost: .misdirectedRequest
        case .tooLarge: .contentTooLarge
        case .tooSlow: .requestTimeout
        case .unsupportedPicture: .unsupportedMediaType
        case .notEmbedded, .notCompleted, .alreadyRunning, .noTextTower: .conflict
        case .notEmbeddable: .unprocessableContent
        case .modelMissing, .databaseBusy, .databaseUnavailable, .overloaded: .serviceUnavailable
        case .tooMany: .tooManyRequests
        case .failed: .internalServerError
        }
    }

    private struct Document: Encodable {
        let type = "about:blank"
        let title: String
        let status: Int
        let code: String
        let detail: String
    }

    /// The answer.
    var response: Response {
        let document = Document(title: status.reasonPhrase, status: status.code, code: code.rawValue, detail: detail)
        var response = Response(
            status: status,
            body: .init(byteBuffer: ByteBuffer(bytes: (try? JSONBody.encode(document)) ?? []))
        )
        response.headers[.contentType] = "application/problem+json"
        if !methods.isEmpty { response.headers[.allow] = methods.joined(separator: ", ") }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if status == .serviceUnavailable { response.headers[.retryAfter] = "2" }
        if status == .tooManyRequests { response.headers[.retryAfter] = "60" }
        return response
    }
}

/// JSON as every answer has it: keys sorted.
enum JSONBody {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    /// An answer.
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        response(bytes: try encode(value), status: status)
    }

    /// An answer that is JSON already.
    static func response(text: String) -> Response { response(bytes: Array(text.utf8), status: .ok) }

    private static func response(bytes: [UInt8], status: HTTPResponse.Status) -> Response {
        var response = Response(status: status, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        response.headers[.contentType] = "application/json"
        return response
    }
}
