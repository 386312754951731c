import Foundation
package import SystemPackage

/// A model hub on this machine that gives the files of a folder: a process of its own, see hub_simulator.py.
package final class HubSimulator {
    /// Where it answers.
    package let endpoint: String
    private let process: Program
    private let log: FilePath

    /// Starts it.
    ///
    /// - Parameter faults: What it does wrong, and how often.
    package init(_ folder: FilePath, repository: String, faults: [String: Int] = [:], in scratch: FilePath) throws {
        let script = FilePath(#filePath).removingLastComponent().appending("hub_simulator.py").string
        let name = UUID().uuidString
        let output = scratch.appending("hub-\(name).port")
        log = scratch.appending("hub-\(name).log")
        let arguments =
            ["python3", script, folder.string, repository, log.string] + faults.map { "\($0.key)=\($0.value)" }
        process = try Program(
            "/usr/bin/env",
            arguments,
            in: scratch,
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"],
            output: output.string
        )
        let start = ContinuousClock.now
        var port = ""
        while port.isEmpty {
            guard ContinuousClock.now - start < .seconds(30) else { throw TestSupportError("the hub does not start") }
            usleep(5_000)
            let text = FileManager.default.contents(atPath: output.string).map { String(decoding: $0, as: UTF8.self) }
            port = text?.hasSuffix("\n") == true ? String(text?.dropLast() ?? "") : ""
        }
        endpoint = "http://127.0.0.1:\(port)"
    }

    /// Every request so far: "METHOD path authorization range".
    package var requests: [String] {
        let data = FileManager.default.contents(atPath: log.string) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Ends it.
    package func stop() throws {
        process.signal(SIGKILL)
        _ = try process.wait()
    }
}
