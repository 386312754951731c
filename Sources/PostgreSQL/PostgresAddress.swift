import Glibc

/// Where a PostgreSQL database is, and how it is reached.
///
/// Read from an address in SQLAlchemy's form, such as `postgresql+asyncpg://bot@db.example:5432/telegram`. What it leaves
/// out comes from libpq's environment (`PGHOST`, `PGUSER`, `PGPASSFILE`, `PGSERVICE`, …). Off this machine the server has
/// to prove who it is (`sslmode=verify-full`), unless the address says otherwise.
package struct PostgresAddress: Sendable, Equatable {
    /// libpq's keywords and their values.
    let parameters: [String: String]

    /// Why an address cannot be used; no part of it is repeated, as it may hold a password.
    package struct Fault: Error {
        package let description: String
    }

    /// Whether a text is an address of a PostgreSQL database.
    package static func isAddress(_ text: String) -> Bool {
        guard let end = text.firstRange(of: "://")?.lowerBound else { return false }
        return ["postgresql", "postgres"].contains(text[..<end].prefix { $0 != "+" })
    }

    /// Parses an address.
    package init(_ text: String, environment: [String: String] = [:]) throws(Fault) {
        guard Self.isAddress(text), let scheme = text.firstRange(of: "://") else {
            throw Fault(description: "DATABASE_URL is no address of a PostgreSQL database")
        }
        var rest = text[scheme.upperBound...]
        var found: [String: String] = [:]
        if let mark = rest.firstIndex(of: "?") {
            try Self.read(options: rest[rest.index(after: mark)...], into: &found)
            rest = rest[..<mark]
        }
        if let slash = rest.firstIndex(of: "/") {
            found["dbname"] = try Self.decoded(rest[rest.index(after: slash)...])
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let person = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            found["user"] = try Self.decoded(person[0])
            if person.count > 1 { found["password"] = try Self.decoded(person[1]) }
            rest = rest[rest.index(after: at)...]
        }
        try Self.read(host: rest, into: &found)
        found = found.filter { !$0.value.isEmpty }
        let host = found["host"] ?? found["hostaddr"] ?? environment["PGHOST"] ?? ""
        let isExplicit = found["sslmode"] != nil || environment["PGSSLMODE"] != nil || found["service"] != nil
        if !isExplicit { found["sslmode"] = Self.isLocal(host) ? "prefer" : "verify-full" }
        if found["sslmode"] == "verify-full", found["sslrootcert"] == nil, environment["PGSSLROOTCERT"] == nil {
            found["sslrootcert"] = Self.rootCertificates(home: environment["HOME"])
        }
        parameters = found
    }

    /// Whether the address itself holds a password.
    package var hasPassword: Bool { parameters["password"] != nil }

    /// The database and its server, without user and password.
    package var description: String {
        let host = parameters["host"] ?? parameters["hostaddr"] ?? parameters["service"] ?? "its default server"
        return "the PostgreSQL database \(parameters["dbname"] ?? "of the user") at \(host)"
            + (parameters["port"].map { ":\($0)" } ?? "")
    }

    /// The options that are taken over from an address; `ssl` is how asyncpg says `sslmode`.
    private static let options: Set = [
        "host", "hostaddr", "port", "dbname", "user", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl",
        "passfile",
        "service", "connect_timeout", "target_session_attrs", "channel_binding", "gssencmode", "krbsrvname",
    ]

    /// What only the bot's own driver understands, and what means nothing here.
    private static let driverOptions: Set = [
        "prepared_statement_cache_size", "prepared_statement_name_func", "statement_cache_size", "command_timeout",
        "timeout", "async_fallback",
    ]

    private static func read(options text: Substring, into found: inout [String: String]) throws(Fault) {
        for part in text.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = pair[0] == "ssl" ? "sslmode" : String(pair[0])
            if driverOptions.contains(name) { continue }
            guard pair.count == 2, options.contains(name) else {
                throw Fault(description: "DATABASE_URL has an option that is not known: \(name.prefix(40))")
            }
            found[name] = try decoded(pair[1])
        }
    }

    private static func read(host text: Substring, into found: inout [String: String]) throws(Fault) {
        var port: Substring = ""
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            found["host"] = String(text[text.index(after: text.startIndex)..<end])
            port = text[text.index(after: end)...]
        } else {
            let end = text.lastIndex(of: ":") ?? text.endIndex
            if end > text.startIndex { found["host"] = try decoded(text[..<end]) }
            port = text[end...]
        }
        guard !port.isEmpty else { return }
        guard let number = UInt16(port.dropFirst()), number > 0 else {
            throw Fault(description: "DATABASE_URL has a port that is no number from 1 to 65535")
        }
        found["port"] = String(number)
    }

    /// A part of an address without its escapes.
    private static func decoded(_ text: Substring) throws(Fault) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let escaped = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                escaped != 0
            else { throw Fault(description: "DATABASE_URL has a percent sign that begins no escape") }
            bytes.append(escaped)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a host is this machine: no host, a socket's folder, `localhost`, a loopback address.
    private static func isLocal(_ host: String) -> Bool {
        let hosts = host.split(separator: ",")
        return hosts.allSatisfy { name in
            if name.hasPrefix("/") || name.hasPrefix("@") || name == "localhost" || name == "::1" { return true }
            var address = in_addr()
            return inet_pton(AF_INET, String(name), &address) == 1 && address.s_addr & 0xff == 127
        }
    }

    /// Those of the person where there are some, else the system's.
    private static func rootCertificates(home: String?) -> String? {
        let own = (home ?? "") + "/.postgresql/root.crt"
        return [own, "/etc/ssl/certs/ca-certificates.crt"].first { access($0, R_OK) == 0 }
    }
}
