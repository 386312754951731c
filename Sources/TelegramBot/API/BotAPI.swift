import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Telegram's Bot API, or a local server of it: one call a function, every trouble a `BotError`.
///
/// The token is part of every address, so no address is ever put into an error.
package struct BotAPI: Sendable {
    private let base: String
    private let token: BotToken
    private let client: HTTPClient

    /// The most bytes of an answer: updates come in at most 4 MiB.
    private static let largestAnswer = 8 << 20
    /// How long a server may say nothing beside the time that it was asked to wait, in seconds.
    private static let patience: Int64 = 10
    /// How long a poll may wait for an update, in seconds.
    static let pollTimeout: Int64 = 50

    /// - Parameter base: An https address, or a http address of this machine.
    package init(base: String, token: BotToken) throws(BotError) {
        guard let url = URL(string: base), let host = url.host, !host.isEmpty, url.user == nil,
            url.scheme == "https" || url.scheme == "http" && ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
        else {
            throw BotError(
                .usage,
                "TELEGRAM_API_BASE must be an https:// address (http:// for this machine only) without user and password"
            )
        }
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(Self.pollTimeout + Self.patience)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Lets go of all connections.
    package func shutdown() async { try? await client.shutdown() }

    /// What Telegram answers.
    private struct Envelope<Result: Decodable>: Decodable {
        let ok: Bool
        let result: Result?
        let error_code: Int?
        let description: String?
        let parameters: Parameters?
    }

    private struct Parameters: Decodable {
        let retry_after: Double?
        let migrate_to_chat_id: Int64?
    }

    /// Calls a method.
    ///
    /// - Parameter wait: How long the server was asked to wait before it answers, in seconds.
    func call<Result: Decodable & Sendable>(
        _ method: String,
        _ parameters: some Encodable & Sendable,
        wait: Int64 = 0
    ) async throws -> Result {
        let body = try JSONEncoder().encode(parameters)
        return try await send(method, ByteBuffer(bytes: body), type: "application/json", wait: wait)
    }

    /// Calls a method with files.
    func call<Result: Decodable & Sendable>(_ method: String, _ form: MultipartForm) async throws -> Result {
        try await send(method, form.body, type: form.contentType, wait: 0)
    }

    private func send<Result: Decodable & Sendable>(
        _ method: String,
        _ body: ByteBuffer,
        type: String,
        wait: Int64
    ) async throws -> Result {
        var request = HTTPClientRequest(url: "\(base)/bot\(token.secret)/\(method)")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: type)
        request.body = .bytes(body)
        let deadline = NIODeadline.now() + .seconds(wait + Self.patience)
        let (status, head, bytes) = try await exchange(request, limit: Self.largestAnswer, deadline, method)
        guard let answer = try? JSONDecoder().decode(Envelope<Result>.self, from: bytes) else {
            guard status == 200 else { throw Self.error(method, status, nil, nil, head) }
            throw BotError(.unavailable, "\(method): an answer that cannot be read", isMaybeDone: true)
        }
        if answer.ok, let result = answer.result { return result }
        throw Self.error(method, answer.error_code ?? status, answer.description, answer.parameters?.retry_after, head)
    }

    /// Fetches a file that `getFile` named.
    ///
    /// - Throws: `.refused` where it is larger than the limit, or its path is none.
    func download(_ path: String, limit: Int) async throws -> [UInt8] {
        let isPlain = path.utf8.allSatisfy { (33...126).contains($0) && !"?#%\\".utf8.contains($0) }
        guard isPlain, !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw BotError(.refused, "the file's path is not one that Telegram gives")
        }
        let request = HTTPClientRequest(url: "\(base)/file/bot\(token.secret)/\(path)")
        let deadline = NIODeadline.now() + .seconds(60)
        let (status, head, bytes) = try await exchange(request, limit: limit, deadline, "download")
        guard status == 200 else { throw Self.error("download", status, nil, nil, head) }
        return Array(bytes)
    }

    /// One request, whole: no connection, silence, dripping and half an answer are all the same trouble.
    private func exchange(
        _ request: HTTPClientRequest,
        limit: Int,
        _ deadline: NIODeadline,
        _ what: String
    ) async throws -> (status: Int, head: HTTPHeaders, bytes: Data) {
        do {
            let response = try await client.execute(request, deadline: deadline)
            var bytes = Data()
            for try await buffer in response.body {
                bytes.append(contentsOf: buffer.readableBytesView)
                guard bytes.count <= limit else {
                    throw BotError(.refused, "\(what): more than \(limit) bytes")
                }
                guard NIODeadline.now() < deadline else {
                    throw BotError(.unavailable, "\(what): the answer came too slowly", isMaybeDone: true)
                }
            }
            return (Int(response.status.code), response.headers, bytes)
        } catch let error as BotError {
            throw error
        } catch  where Task.isCancelled {
            throw CancellationError()
        } catch {
            // An error's own words may hold the address, and with it the token.
            let isUnsent = (error as? HTTPClientError) == .connectTimeout || "\(error)".contains("refused")
            throw BotError(.unavailable, "\(what): Telegram does not answer", isMaybeDone: !isUnsent)
        }
    }

    private static func error(
        _ method: String,
        _ status: Int,
        _ description: String?,
        _ retryAfter: Double?,
        _ head: HTTPHeaders
    ) -> BotError {
        let words = "\(method): \(status) \(String((description ?? "").prefix(200)))"
        switch status {
        // A token that is none has no address; later a method that a server lacks has none.
        case 401 where method != "download", 404 where method == "getMe": return BotError(.unauthorized, words)
        case 409: return BotError(.conflict, words)
        case 429:
            let wait = retryAfter ?? head.first(name: "Retry-After").flatMap(Double.init) ?? 1
            return BotError(.tooMany, words, wait: min(max(wait, 0), 3600))
        case 400..<500: return BotError(.refused, words)
        default: return BotError(.unavailable, words)
        }
    }
}
