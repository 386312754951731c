import Glibc
import Synchronization

/// The two ends of a command's talk: stdout for data, stderr for people.
///
/// A reader that went away (`| head`) is no error. A disk that is full is one, but not before the work is done: the
/// command's exit status tells it.
enum Console {
    private static let couldNotWrite = Mutex(false)
    private static let hasOpenLine = Mutex(false)

    /// Whether data was lost on stdout.
    static var hasLostData: Bool { couldNotWrite.withLock { $0 } }

    /// Whether progress may be drawn over itself.
    static let isInteractive = isatty(STDERR_FILENO) == 1

    /// Writes a line of data.
    static func data(_ line: String) {
        closeLine()
        guard !write(line + "\n", to: STDOUT_FILENO) else { return }
        couldNotWrite.withLock { $0 = true }
    }

    /// Says a sentence.
    static func say(_ line: String) {
        closeLine()
        _ = write(sanitised(line) + "\n", to: STDERR_FILENO)
    }

    /// Draws a line over the last one that was drawn.
    static func draw(_ line: String) {
        hasOpenLine.withLock { $0 = true }
        _ = write("\r\u{1B}[K" + sanitised(line), to: STDERR_FILENO)
    }

    /// Whatever comes after a drawn line begins on a line of its own.
    private static func closeLine() {
        let isOpen = hasOpenLine.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if isOpen { _ = write("\n", to: STDERR_FILENO) }
    }

    /// Control characters from file names and databases never reach the terminal.
    static func sanitised(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar in
                scalar.properties.generalCategory == .control && scalar != "\n" ? "\u{FFFD}" : Character(scalar)
            }
        )
    }

    /// The same, and without line breaks: for names that came from other people, on a line of data.
    static func oneLine(_ text: String) -> String { sanitised(text).replacing("\n", with: "\u{FFFD}") }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return errno == EPIPE }
            written += count
        }
        return true
    }
}
