import AsyncHTTPClient
import Backfill
import Digests
import Foundation
import NIOCore
import NIOHTTP1
import SystemPackage

/// Pictures' files behind an HTTP address, such as that of a web server on the bot's machine.
///
/// Redirects are not followed, so that no other machine is asked. What passes (silence, 5xx, 429) is tried three times; then
/// the run ends, and no image is charged with it.
struct MediaServer: MediaSource {
    private let base: String

    private static let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(30)
        return configuration
    }

    /// The longest that one file may take.
    private static let deadline = TimeAmount.seconds(60)
    private static let attempts = 3

    /// - Parameter base: The address of the bot's root folder.
    init(_ base: String) throws {
        guard let url = URL(string: base), let host = url.host, !host.isEmpty, ["http", "https"].contains(url.scheme),
            url.query == nil, url.fragment == nil, url.user == nil
        else {
            throw CommandError(
                .usage,
                "SEMBLANCE_MEDIA_URL must be an http:// or https:// address without user, password, ? and #"
            )
        }
        self.base = base.hasSuffix("/") ? base : base + "/"
    }

    func state(of path: FilePath) throws -> String? {
        try ask(path, .HEAD) { response in Self.state(response, size: response.headers.first(name: "content-length")) }
    }

    func read(_ path: FilePath, limit: Int) throws -> MediaFile? {
        try ask(path, .GET) { response in
            var bytes: [UInt8] = []
            for try await part in response.body where bytes.count <= limit {
                bytes += part.readableBytesView.prefix(limit + 1 - bytes.count)
                if bytes.count > limit { break }
            }
            return MediaFile(bytes: bytes, state: Self.state(response, size: String(bytes.count)))
        }
    }

    /// What changes when the file does, as far as the server says.
    private static func state(_ response: HTTPClientResponse, size: String?) -> String {
        let parts = [size, response.headers.first(name: "etag"), response.headers.first(name: "last-modified")]
        return parts.compactMap { $0 }.joined(separator: " ")
    }

    private enum Answer<Value: Sendable>: Sendable {
        case found(Value), absent, passing(String), refused(String)
    }

    private func ask<Value: Sendable>(
        _ path: FilePath,
        _ method: HTTPMethod,
        _ read: @escaping @Sendable (HTTPClientResponse) async throws -> Value
    ) throws -> Value? {
        var trouble = ""
        for attempt in 0..<Self.attempts {
            if attempt > 0 { usleep(.random(in: 0...UInt32(500_000 << attempt))) }
            switch try Waiting.for({ await once(path, method, read) }) {
            case .found(let value): return value
            case .absent: return nil
            case .passing(let reason): trouble = reason
            case .refused(let reason): throw CommandError(.unavailable, "\(name) \(reason)")
            }
        }
        throw CommandError(.tryLater, "\(name) \(trouble)")
    }

    private var name: String { "The server of SEMBLANCE_MEDIA_URL" }

    private func once<Value: Sendable>(
        _ path: FilePath,
        _ method: HTTPMethod,
        _ read: @Sendable (HTTPClientResponse) async throws -> Value
    ) async -> Answer<Value> {
        var request = HTTPClientRequest(url: base + Self.escaped(path))
        request.method = method
        request.headers.add(name: "user-agent", value: "semblance/\(Semblance.version)")
        do {
            let response = try await Self.client.execute(request, timeout: Self.deadline)
            switch response.status.code {
            case 200: return .found(try await read(response))
            case 404, 410: return .absent
            case 429, 500...599: return .passing("answers \(response.status.code)")
            default: return .refused("answers \(response.status.code) to a request for a picture")
            }
        } catch {
            return .passing("does not answer: \(error)")
        }
    }

    /// The bytes of a path, with everything escaped that means something in an address.
    private static func escaped(_ path: FilePath) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
        return path.withPlatformString { pointer in
            var text = ""
            for place in 0..<strlen(pointer) {
                let byte = UInt8(bitPattern: pointer[place])
                text += plain.contains(byte) ? String(UnicodeScalar(byte)) : "%" + [byte].hexadecimal.uppercased()
            }
            return text
        }
    }
}

extension Settings {
    /// The bot's pictures: below the root folder, or behind an address.
    var files: SourceFiles {
        get throws {
            SourceFiles(root: try root, media: try value(of: .mediaURL).map { try MediaServer($0.text) })
        }
    }
}
