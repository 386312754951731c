import Digests
import Synchronization

/// Who has logged in to the gallery: a random token in a cookie stands for a key, until the server ends or half a day later.
final class Sessions: Sendable {
    private static let lifetime = Duration.seconds(43_200)
    private static let capacity = 1000
    private static let cookieName = "semblance"

    private struct Session {
        let caller: Access.Caller
        let end: ContinuousClock.Instant
    }

    /// By the token's digest.
    private let sessions = Mutex([SHA256Digest: Session]())

    /// Begins a session.
    ///
    /// - Returns: The cookie that goes to the browser.
    func begin(for caller: Access.Caller) -> String {
        var generator = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in String(generator.next(), radix: 36) }.joined(separator: "-")
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.end > .now }
            if sessions.count >= Self.capacity, let oldest = sessions.min(by: { $0.value.end < $1.value.end }) {
                sessions[oldest.key] = nil
            }
            sessions[Self.digest(token)] = Session(caller: caller, end: .now + Self.lifetime)
        }
        return Self.cookie(token, seconds: 43_200)
    }

    /// Who a request's cookies stand for.
    func caller(cookies: String?) -> Access.Caller? {
        guard let token = Self.token(in: cookies) else { return nil }
        return sessions.withLock { sessions in
            sessions[Self.digest(token)].flatMap { $0.end > .now ? $0.caller : nil }
        }
    }

    /// Ends a session.
    ///
    /// - Returns: The cookie that takes the place of the session's.
    func end(cookies: String?) -> String {
        if let token = Self.token(in: cookies) { sessions.withLock { $0[Self.digest(token)] = nil } }
        return Self.cookie("", seconds: 0)
    }

    private static func cookie(_ token: String, seconds: Int) -> String {
        "\(cookieName)=\(token); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(seconds)"
    }

    private static func token(in cookies: String?) -> String? {
        (cookies ?? "").split(separator: ";").lazy
            .map { $0.drop { $0 == " " } }
            .first { $0.hasPrefix(cookieName + "=") }
            .map { String($0.dropFirst(cookieName.count + 1)) }
    }

    private static func digest(_ token: String) -> SHA256Digest { SHA256Digest(of: Array(token.utf8)) }
}
