import Foundation
package import SystemPackage

/// Telegram's Bot API on this machine: a process of its own, see telegram_simulator.py.
package final class TelegramSimulator {
    /// Where it answers.
    package let endpoint: String
    /// The one token that it knows.
    package static let token = "123456:CANARY-abcdefghijklmnopqrstuvwxyz01"
    private let process: Program
    private let scratch: FilePath

    /// Starts it.
    package init(in scratch: FilePath) throws {
        self.scratch = scratch
        let script = FilePath(#filePath).removingLastComponent().appending("telegram_simulator.py").string
        let output = scratch.appending("telegram-\(UUID().uuidString).port")
        process = try Program(
            "/usr/bin/env",
            ["python3", "-u", script, Self.token],
            in: scratch,
            environment: Self.environment,
            output: output.string
        )
        let start = ContinuousClock.now
        var port = ""
        while port.isEmpty {
            guard ContinuousClock.now - start < .seconds(30) else { throw TestSupportError("Telegram does not start") }
            usleep(5_000)
            let text = FileManager.default.contents(atPath: output.string).map { String(decoding: $0, as: UTF8.self) }
            port = text?.hasSuffix("\n") == true ? String(text?.dropLast() ?? "") : ""
        }
        endpoint = "http://127.0.0.1:\(port)"
    }

    private static var environment: [String: String] {
        ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    }

    /// What people do and what goes wrong; see the script.
    @discardableResult
    package func control(_ name: String, _ what: [String: any Sendable] = [:]) throws -> [String: any Sendable] {
        let file = scratch.appending("control-\(UUID().uuidString).json")
        try JSONSerialization.data(withJSONObject: what).write(to: URL(filePath: file.string))
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        let script = """
            import sys, urllib.request
            data = open(sys.argv[2], 'rb').read()
            print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], data, method='POST'), timeout=30).read().decode())
            """
        let arguments = ["python3", "-c", script, "\(endpoint)/control/\(name)", file.string]
        let outcome = try Program("/usr/bin/env", arguments, in: scratch, environment: Self.environment).wait()
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        return object as? [String: any Sendable] ?? [:]
    }

    /// A message that the bot has sent.
    package struct Sent {
        package let method: String
        package let chat: Int
        package let text: String
        package let captions: [String]
        package let pictures: [String]
        package let replyTo: Int?
        package let buttons: [String]
        package let edits: Int?
    }

    /// What it has sent so far.
    package func sent() throws -> [Sent] {
        let list = try control("state")["sent"] as? [[String: any Sendable]] ?? []
        return list.map { one in
            let rows =
                (one["buttons"] as? [String: any Sendable])?["inline_keyboard"] as? [[[String: any Sendable]]] ?? []
            return Sent(
                method: one["method"] as? String ?? "",
                chat: one["chat"] as? Int ?? 0,
                text: one["text"] as? String ?? "",
                captions: one["captions"] as? [String] ?? [],
                pictures: one["pictures"] as? [String] ?? [],
                replyTo: one["reply_to"] as? Int,
                buttons: rows.joined().compactMap { $0["callback_data"] as? String },
                edits: one["edits"] as? Int
            )
        }
    }

    /// Ends it.
    package func stop() throws {
        process.signal(SIGKILL)
        _ = try process.wait()
    }
}
