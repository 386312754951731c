import CLibPQ
import Glibc

/// One connection to a server: a statement at a time, waited for without blocking the socket.
///
/// - Note: `@unchecked Sendable` because the pool lends a connection to one thread at a time.
package final class PostgresConnection: @unchecked Sendable {
    private let handle: OpaquePointer
    private var statements: [String: String] = [:]
    /// Whether it can still be used.
    private(set) var isUsable = true

    /// The longest that a statement may take at the server.
    private static let statementTimeout = 30
    /// What each connection begins with: limits of time, and ways to write dates and texts that never change.
    private static let settings = """
        SET statement_timeout = '\(statementTimeout)s'; SET lock_timeout = '5s';
        SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC'; SET client_encoding = 'UTF8';
        SET default_transaction_isolation = 'read committed'
        """
    /// Longer than the server's own limits: what is later than that will not come any more.
    private static let usualPatience = Duration.seconds(statementTimeout + 10)
    private var patience = usualPatience
    /// What libpq is told beside the address.
    private static let defaults = [
        "application_name": "semblance", "connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10",
        "keepalives_count": "3", "tcp_user_timeout": "60000",
    ]

    /// Connects.
    init(_ address: PostgresAddress) throws(PostgresError) {
        let parameters = Self.defaults.merging(address.parameters) { $1 }.map { ($0.key, $0.value) }
        let names = parameters.map { strdup($0.0) } + [nil]
        let values = parameters.map { strdup($0.1) } + [nil]
        defer { for text in names + values { free(text) } }
        let handle = PQconnectStartParams(names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 0)
        guard let handle else { throw PostgresError(.full, "no memory for a connection") }
        self.handle = handle
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        do throws(PostgresError) {
            try finishConnecting(until: .now + .seconds(10))
            guard PQsetnonblocking(handle, 1) == 0 else { throw failure(.unreachable) }
            try run(Self.settings)
        } catch {
            isUsable = false
            throw error
        }
    }

    deinit { PQfinish(handle) }

    private func finishConnecting(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        guard PQstatus(handle) != CONNECTION_BAD else { throw connectionFailure() }
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted != PGRES_POLLING_FAILED else { throw connectionFailure() }
            try wait(for: wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
            wanted = PQconnectPoll(handle)
        }
    }

    /// Waits for the socket.
    private func wait(for events: Int32, until deadline: ContinuousClock.Instant) throws(PostgresError) {
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else {
                isUsable = false
                throw PostgresError(.unreachable, "the server does not answer")
            }
            var entry = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            let status = poll(&entry, 1, Int32(min(left, 60_000)) + 1)
            if status > 0 { return }
            if status < 0 && errno != EINTR { throw failure(.unreachable) }
        }
    }

    /// Runs statements without parameters and without rows.
    package func run(_ sql: String) throws(PostgresError) {
        guard PQsendQuery(handle, sql) == 1 else { throw failure(.unreachable) }
        _ = try results()
    }

    /// Runs a statement, which is prepared when it is first met.
    @discardableResult
    package func execute(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> PostgresResult {
        let name = try prepared(sql, parameters)
        let sent = Self.withPointers(parameters) { values in
            let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: parameters.count)
            return PQsendQueryPrepared(handle, name, Int32(parameters.count), values, lengths, formats, 1)
        }
        guard sent == 1 else { throw failure(.unreachable) }
        guard let result = try results() else { throw PostgresError(.wrong, "the server gave no answer") }
        return result
    }

    private func prepared(_ sql: String, _ parameters: [PostgresValue]) throws(PostgresError) -> String {
        if let name = statements[sql] { return name }
        let name = "s\(statements.count + 1)"
        guard PQsendPrepare(handle, name, sql, Int32(parameters.count), parameters.map(\.type)) == 1 else {
            throw failure(.unreachable)
        }
        _ = try results()
        statements[sql] = name
        return name
    }

    /// Lends the parameters' bytes; an empty value is no NULL.
    private static func withPointers<Value>(
        _ parameters: [PostgresValue],
        _ body: ([UnsafePointer<CChar>?]) -> Value
    ) -> Value {
        let all = parameters.reduce(into: []) { $0 += $1.bytes ?? [] } + [0]
        return all.withUnsafeBytes { buffer in
            var start = 0
            let base = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            return body(
                parameters.map { parameter in
                    guard let bytes = parameter.bytes else { return nil }
                    defer { start += bytes.count }
                    return base.map { $0 + start }
                }
            )
        }
    }

    /// The last result of what was sent.
    private func results() throws(PostgresError) -> PostgresResult? {
        let deadline = ContinuousClock.now + patience
        try flush(until: deadline)
        var last: PostgresResult?
        var error: PostgresError?
        while let result = try next(until: deadline).map(PostgresResult.init) {
            last = result
            error = error ?? result.error
        }
        if PQstatus(handle) == CONNECTION_BAD { isUsable = false }
        guard let error else { return last }
        if error.code == .unreachable { isUsable = false }
        throw error
    }

    private func flush(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try wait(for: POLLIN | POLLOUT, until: deadline)
                guard PQconsumeInput(handle) == 1 else { throw failure(.unreachable) }
            default: throw failure(.unreachable)
            }
        }
    }

    private func next(until deadline: ContinuousClock.Instant) throws(PostgresError) -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            try wait(for: POLLIN, until: deadline)
            guard PQconsumeInput(handle) == 1 else { throw failure(.unreachable) }
        }
        return PQgetResult(handle)
    }

    /// Something that libpq itself could not do.
    private func failure(_ code: PostgresError.Code) -> PostgresError {
        isUsable = false
        return PostgresError(code, Self.firstLine(PQerrorMessage(handle)))
    }

    /// Why there is no connection: whether it is worth asking again is told by the words alone, which libpq does not
    /// number.
    private func connectionFailure() -> PostgresError {
        isUsable = false
        let text = String(cString: PQerrorMessage(handle))
        let line = text.split(separator: "\n").last.map(String.init) ?? text
        let isRefused = ["authentication", "password", "no pg_hba.conf entry", "certificate", "SSL", "role "]
            .contains { text.contains($0) }
        let code: PostgresError.Code =
            if ["too many clients", "too many connections", "remaining connection slots"].contains(where: text.contains)
            {
                .crowded
            } else if text.contains("database ") && text.contains("does not exist") {
                .missing
            } else {
                isRefused && !text.contains("Connection refused") ? .refused : .unreachable
            }
        return PostgresError(code, line)
    }

    private static func firstLine(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "the connection to the server was lost" }
        let line = String(cString: text).split(separator: "\n").first
        return line.map(String.init) ?? "the connection to the server was lost"
    }
}

extension PostgresConnection {
    /// Lends the connection for statements that may take as long as they need, such as the making of an index.
    package func withoutLimit<Value>(_ work: (PostgresConnection) throws -> Value) throws -> Value {
        try run("SET statement_timeout = 0; SET lock_timeout = '60s'")
        patience = .seconds(24 * 3600)
        defer {
            patience = Self.usualPatience
            try? run(Self.settings)
        }
        return try work(self)
    }

    /// Runs a transaction.
    ///
    /// - Throws: `.outcomeUnknown` where the connection was lost while it was committed.
    package func transaction<Value>(_ work: (PostgresConnection) throws -> Value) throws -> Value {
        try run("BEGIN")
        let value: Value
        do {
            value = try work(self)
        } catch {
            if isUsable { try? run("ROLLBACK") }
            throw error
        }
        do throws(PostgresError) {
            try run("COMMIT")
        } catch  where error.code == .unreachable {
            throw PostgresError(.outcomeUnknown, error.description, state: error.state)
        }
        return value
    }
}
