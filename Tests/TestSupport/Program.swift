package import Foundation
package import SystemPackage

/// A child process: the built program, or a tool beside it.
///
/// Its output goes to files, so that nothing ever waits on a pipe.
package final class Program {
    /// The program that was built with these tests.
    package static let semblance: FilePath = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return FilePath(tests).removingLastComponent().appending("semblance")
    }()

    /// How a process ended, and what it wrote.
    package struct Outcome {
        /// The exit status; 128 + the signal where a signal ended it.
        package let status: Int32
        package let output: String
        package let errors: String
    }

    /// The process id.
    package let id: pid_t
    private let outputPath: String
    private let errorPath: String

    /// Starts a process with an environment of its own.
    package init(
        _ path: FilePath,
        _ arguments: [String],
        in folder: FilePath,
        environment: [String: String] = [:],
        output: String? = nil
    ) throws {
        let name = "/tmp/semblance-output-\(UUID().uuidString)"
        outputPath = output ?? name + ".out"
        errorPath = name + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let command = ["/usr/bin/env", "-C", folder.string, path.string] + arguments
        let argumentStrings = command.map { strdup($0) }
        let environmentStrings = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for string in argumentStrings + environmentStrings { free(string) } }
        var child = pid_t()
        let status = posix_spawn(
            &child,
            command[0],
            &actions,
            nil,
            argumentStrings + [nil],
            environmentStrings + [nil]
        )
        guard status == 0 else { throw TestSupportError("\(path) cannot be started") }
        id = child
    }

    /// Sends a signal.
    package func signal(_ number: Int32) { kill(id, number) }

    /// Waits for the end, at most the given time; then the process is killed.
    package func wait(atMost limit: Duration = .seconds(300)) throws -> Outcome {
        let start = ContinuousClock.now
        var status: Int32 = 0
        while waitpid(id, &status, WNOHANG) == 0 {
            if ContinuousClock.now - start > limit {
                kill(id, SIGKILL)
                waitpid(id, &status, 0)
                throw TestSupportError("the process was still running after \(limit): \(text(errorPath))")
            }
            usleep(2_000)
        }
        let isSignalled = status & 0x7F != 0
        defer { unlink(errorPath) }
        defer { if outputPath.hasPrefix("/tmp/semblance-output-") { unlink(outputPath) } }
        return Outcome(
            status: isSignalled ? 128 + (status & 0x7F) : (status >> 8) & 0xFF,
            output: text(outputPath),
            errors: text(errorPath)
        )
    }

    /// Whether it has not ended yet.
    package var isRunning: Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8) else { return false }
        return !status.contains("State:\tZ")
    }

    /// The resident memory now, in kB.
    package var residentMemory: Int? {
        guard let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return nil }
        return Int(line.filter(\.isNumber))
    }

    /// What the process has said on stderr so far.
    package var errorsSoFar: String { text(errorPath) }

    /// What it has written on stdout so far.
    package var outputSoFar: String { text(outputPath) }

    /// The first line that it writes on stdout, waited for a few seconds.
    package func waitForLine() throws -> String? {
        for _ in 0..<500 {
            let text = outputSoFar
            if let end = text.firstIndex(of: "\n") { return String(text[..<end]) }
            usleep(20_000)
        }
        return nil
    }

    private func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
