import Foundation
import TestSupport
import Testing

extension Library {
    /// A server on a port of its own choice, until the body is done; then it is asked to stop.
    func withServer(with settings: [String: String] = [:], _ body: (_ port: Int) throws -> Void) throws {
        let server = try start(["serve", "--address", "127.0.0.1:0"], with: settings)
        try waitUntil { server.errorsSoFar.contains("port ") || !server.isRunning }
        let port = server.errorsSoFar.firstMatch(of: /port (\d+)\./).flatMap { Int($0.1) }
        do {
            try body(try #require(port, "\(server.errorsSoFar)"))
        } catch {
            server.signal(SIGKILL)
            _ = try? server.wait()
            throw error
        }
        server.signal(SIGTERM)
        let outcome = try server.wait(atMost: .seconds(20))
        #expect(outcome.status == 0 && outcome.errors.contains("Stopped."), "\(outcome.errors)")
    }

    /// What an address answers, asked by another program.
    func ask(
        _ port: Int,
        _ path: String,
        method: String? = nil,
        key: String? = nil,
        upload: String? = nil
    ) throws -> (status: Int, body: [String: any Sendable]) {
        let script = """
            import json, sys, urllib.request, urllib.error
            data = open(sys.argv[2], 'rb').read() if sys.argv[2] else None
            request = urllib.request.Request(sys.argv[1], data=data, method=sys.argv[4] or None)
            if sys.argv[3]: request.add_header('Authorization', 'Bearer ' + sys.argv[3])
            try: answer = urllib.request.urlopen(request, timeout=30)
            except urllib.error.HTTPError as error: answer = error
            print(answer.status, answer.read().decode())
            """
        let address = "http://127.0.0.1:\(port)\(path)"
        let outcome = try startTool(["python3", "-c", script, address, upload ?? "", key ?? "", method ?? ""]).wait()
        let parts = outcome.output.split(separator: " ", maxSplits: 1)
        try #require(parts.count == 2, "\(outcome.errors)")
        let body = try JSONSerialization.jsonObject(with: Data(parts[1].utf8))
        return (Int(parts[0]) ?? 0, body as? [String: any Sendable] ?? [:])
    }
}
