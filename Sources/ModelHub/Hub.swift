import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A model hub: files at `<endpoint>/<repository>/resolve/<revision>/<file>`.
package struct Hub: Sendable {
    let endpoint: String
    /// Sent to the endpoint alone, never to the storage that it points to.
    private let token: String?
    let client: HTTPClient

    /// Opens a connection to a hub for the length of some work.
    ///
    /// - Parameters:
    ///   - endpoint: An https address, or a http address of this machine.
    ///   - silence: How long a server may send nothing.
    package static func connected<Value: Sendable>(
        to endpoint: String,
        token: String?,
        silence: Duration = .seconds(30),
        _ work: (Hub) async throws -> Value
    ) async throws -> Value {
        let client = client(silence: .milliseconds(Int64(silence / .milliseconds(1))))
        let result: Result<Value, any Error>
        do {
            result = .success(try await work(Hub(endpoint: endpoint, token: token, client: client)))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    private init(endpoint: String, token: String?, client: HTTPClient) throws(HubError) {
        guard Self.isAllowed(endpoint) else {
            throw HubError(
                .usage,
                "HF_ENDPOINT must be an https:// address (http:// for this machine only) without user and password"
            )
        }
        self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.token = token
        self.client = client
    }

    /// A client as hubs need it: redirects are followed by us, and a server that falls silent is given up.
    private static func client(silence: TimeAmount) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = silence
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func isAllowed(_ address: String) -> Bool {
        guard let url = URL(string: address), let host = url.host, !host.isEmpty, url.user == nil else { return false }
        return url.scheme == "https"
            || (url.scheme == "http" && ["127.0.0.1", "localhost", "[::1]", "::1"].contains(host))
    }

    /// A file as the hub describes it.
    struct RemoteFile: Sendable, Equatable {
        let name: String
        /// In bytes.
        let size: Int
        let digest: Digest
        /// Where to begin asking for it.
        let url: String
    }

    /// What the hub says of a file's content.
    enum Digest: Sendable, Equatable {
        /// Large files: the SHA-256.
        case sha256(String)
        /// Small files: git's name for the content, a SHA-1 with its length before it.
        case gitBlob(String)
    }

    /// Asks for a file's size and digest.
    ///
    /// - Returns: `nil` where the repository has no such file.
    func describe(_ file: String, in repository: String, revision: String) async throws -> RemoteFile? {
        var url = "\(endpoint)/\(repository)/resolve/\(revision)/\(file)"
        for _ in 0..<Self.mostRedirects {
            let response = try await execute(.HEAD, url)
            let headers = response.headers
            if let digest = headers.first(name: "X-Linked-ETag").flatMap(Self.digest),
                let size = headers.first(name: "X-Linked-Size").flatMap({ Int($0) })
            {
                return RemoteFile(name: file, size: size, digest: digest, url: url)
            }
            switch response.status.code {
            case 200:
                guard let digest = headers.first(name: "ETag").flatMap(Self.digest),
                    let size = headers.first(name: "Content-Length").flatMap({ Int($0) }), size >= 0
                else {
                    throw HubError(
                        .unavailable,
                        "\(endpoint) gives neither size nor digest of \(file): is it a model hub?"
                    )
                }
                return RemoteFile(name: file, size: size, digest: digest, url: url)
            case 301, 302, 303, 307, 308: url = try Self.target(of: response, from: url)
            case 404: return nil
            default: throw refusal(response, of: "\(repository)/\(file)")
            }
        }
        throw HubError(.unavailable, "\(endpoint) sends \(file) around in circles")
    }

    /// Sends a request, and the token only where it belongs.
    func execute(_ method: HTTPMethod, _ url: String, headers: [(String, String)] = []) async throws
        -> HTTPClientResponse
    {
        guard Self.isAllowed(url) else {
            throw HubError(.unavailable, "\(endpoint) points to an address that is not https")
        }
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "User-Agent", value: "semblance")
        if let token, url.hasPrefix(endpoint + "/") {
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        do {
            return try await client.execute(request, timeout: .seconds(30))
        } catch {
            throw Interruption(reason: "\(endpoint) does not answer (\(error))", wait: nil)
        }
    }

    static let mostRedirects = 5

    /// Where a redirect leads.
    static func target(of response: HTTPClientResponse, from url: String) throws(HubError) -> String {
        guard let location = response.headers.first(name: "Location"),
            let target = URL(string: location, relativeTo: URL(string: url))
        else { throw HubError(.unavailable, "the hub redirects to nowhere") }
        return target.absoluteString
    }

    /// Why the hub does not give a file: an interruption where trying again may help.
    func refusal(_ response: HTTPClientResponse, of file: String) -> any Error {
        switch response.status.code {
        case 401, 403:
            HubError(
                .unavailable,
                "\(endpoint) does not give \(file) to everyone; set HF_TOKEN to a token that may read it"
            )
        case 404: HubError(.unavailable, "\(endpoint) has no \(file)")
        case 429, 500...599:
            Interruption(
                reason: "\(endpoint) answers \(response.status.code)",
                wait: response.headers.first(name: "Retry-After").flatMap(Double.init),
                isBusy: response.status.code == 429
            )
        default: HubError(.unavailable, "\(endpoint) answers \(response.status.code) for \(file)")
        }
    }

    /// A digest as an entity tag gives it, by its length.
    private static func digest(_ tag: String) -> Digest? {
        let text = (tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]).trimmingCharacters(in: ["\""]).lowercased()
        guard text.allSatisfy({ "0123456789abcdef".contains($0) }) else { return nil }
        return text.count == 64 ? .sha256(text) : text.count == 40 ? .gitBlob(text) : nil
    }
}
