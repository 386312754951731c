import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SystemPackage

/// One file on its way from the hub to its place.
///
/// Whatever cuts the transfer (a connection, a busy hub, a silent or dripping server), it goes on from the last byte
/// that came, after a growing wait. Only bytes with the hub's digest get the file's name.
struct Download {
    let hub: Hub
    let file: Hub.RemoteFile
    let target: FilePath
    let patience: Patience
    let progress: @Sendable (Transfer) -> Void

    /// Fetches the file.
    func run() async throws {
        let part = try PartFile(partPath)
        try checkRoom(for: part)
        for attempt in 1...2 {
            try await fill(part)
            if part.matches(file.digest) { return try part.finish(as: target) }
            try part.clear()
            guard attempt == 1 else { break }
        }
        throw HubError(
            .wrongContent,
            "\(hub.endpoint) sent \(file.name) twice with other bytes than its digest says; nothing was kept"
        )
    }

    private var partPath: FilePath {
        let digest =
            switch file.digest {
            case .sha256(let digest), .gitBlob(let digest): digest
            }
        return FilePath("\(target).\(digest.prefix(16)).part")
    }

    private func checkRoom(for part: PartFile) throws(HubError) {
        var status = statvfs()
        let folder = target.removingLastComponent()
        guard statvfs(folder.string, &status) == 0 else { return }
        let room = Int(status.f_bavail) * Int(status.f_frsize)
        guard room >= file.size - part.length else {
            let wanted = (file.size - part.length) >> 20
            throw HubError(
                .cannotWrite,
                "\(folder) has \(room >> 20) MiB left, and \(file.name) needs \(wanted) MiB more"
            )
        }
    }

    /// Fetches until all bytes are there.
    private func fill(_ part: PartFile) async throws {
        if part.length > file.size { try part.clear() }
        guard part.length < file.size else { return }
        try await patience.retrying(progress: { part.length }) {
            do {
                try await fetch(into: part)
            } catch var interruption as Interruption {
                interruption.reason +=
                    ". \(part.length) of \(file.size) bytes of \(file.name) are there; run it again to go on from there"
                throw interruption
            }
        }
    }

    /// One request for what is missing.
    private func fetch(into part: PartFile) async throws {
        let response = try await open(from: part.length)
        switch response.status.code {
        case 200: try part.clear()
        case 206 where response.headers.first(name: "Content-Range")?.hasPrefix("bytes \(part.length)-") == true: break
        case 206, 416:
            try part.clear()
            throw Interruption(reason: "\(hub.endpoint) does not give the rest of \(file.name)", wait: nil)
        default: throw hub.refusal(response, of: file.name)
        }
        var pace = Pace(patience)
        do {
            for try await buffer in response.body {
                try buffer.readableBytesView.withUnsafeBytes { try part.append($0) }
                guard part.length <= file.size else {
                    try part.clear()
                    throw HubError(.wrongContent, "\(hub.endpoint) sent more of \(file.name) than it has")
                }
                progress(Transfer(name: file.name, done: part.length, total: file.size))
                guard pace.keeps(buffer.readableBytes) else {
                    throw Interruption(reason: "\(hub.endpoint) sends \(file.name) too slowly", wait: nil)
                }
            }
        } catch let error where !(error is HubError || error is Interruption) {
            throw Interruption(reason: "the connection to \(hub.endpoint) broke (\(error))", wait: nil)
        }
        guard part.length == file.size else {
            throw Interruption(reason: "\(hub.endpoint) ended \(file.name) too early", wait: nil)
        }
    }

    /// Follows redirects to the storage that has the bytes.
    private func open(from offset: Int) async throws -> HTTPClientResponse {
        let range = offset > 0 ? [("Range", "bytes=\(offset)-")] : []
        var url = file.url
        for _ in 0..<Hub.mostRedirects {
            let response = try await hub.execute(.GET, url, headers: range)
            guard (301...308).contains(response.status.code) else { return response }
            url = try Hub.target(of: response, from: url)
        }
        throw HubError(.unavailable, "\(hub.endpoint) sends \(file.name) around in circles")
    }
}

/// How far a file is, in bytes.
package struct Transfer: Sendable, Equatable {
    package let name: String
    package let done: Int
    package let total: Int
}

/// Whether bytes come fast enough.
private struct Pace {
    private let patience: Patience
    private var start = ContinuousClock.now
    private var count = 0

    init(_ patience: Patience) { self.patience = patience }

    mutating func keeps(_ bytes: Int) -> Bool {
        count += bytes
        let now = ContinuousClock.now
        guard now - start >= .seconds(patience.slowWindow) else { return true }
        defer { (start, count) = (now, 0) }
        return count >= patience.progress
    }
}
