import HTTPServer

/// Where and for whom the server listens, by the settings; checked before anything is opened.
struct ServerSettings {
    let settings: AnswerServer.Settings

    init(_ all: Settings) throws {
        let (host, port) = try Self.address(all.value(of: .address)?.text ?? "")
        let keys = try Self.keys(all)
        guard Self.isLoopback(host) || keys.contains(where: { $0.caller == .owner }) else {
            throw CommandError(
                .usage,
                "SEMBLANCE_ADDRESS is \(host), which others can reach; set SEMBLANCE_API_KEY to \(Access.leastKeyLength) random "
                    + "bytes or more (openssl rand -hex 32)"
            )
        }
        settings = AnswerServer.Settings(
            host: host,
            port: port,
            access: Access(keys: keys),
            hostNames: (all.value(of: .hostNames)?.text ?? "").split(separator: ",").map(String.init),
            version: Semblance.version
        )
    }

    /// "127.0.0.1:8000", "[::1]:8000" or "name:8000".
    private static func address(_ text: String) throws -> (String, Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), 0...65_535 ~= port
        else { throw CommandError(.usage, "SEMBLANCE_ADDRESS must be HOST:PORT, such as 127.0.0.1:8000, not \(text)") }
        let host = text[..<colon].filter { $0 != "[" && $0 != "]" }
        guard !host.isEmpty else { throw CommandError(.usage, "SEMBLANCE_ADDRESS names no host: \(text)") }
        return (host, port)
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func keys(_ all: Settings) throws -> [(key: String, caller: Access.Caller)] {
        var keys: [(key: String, caller: Access.Caller)] = []
        if let key = all.value(of: .apiKey)?.text { keys.append((key, .owner)) }
        for entry in (all.value(of: .userKeys)?.text ?? "").split(separator: ",") {
            guard let colon = entry.firstIndex(of: ":"), let user = Int64(entry[..<colon]) else {
                throw CommandError(.usage, "SEMBLANCE_USER_KEYS must be USER:KEY,USER:KEY with Telegram ids")
            }
            keys.append((String(entry[entry.index(after: colon)...]), .user(user)))
        }
        guard keys.allSatisfy({ $0.key.utf8.count >= Access.leastKeyLength }) else {
            throw CommandError(.usage, "A key of the server has fewer than \(Access.leastKeyLength) bytes")
        }
        return keys
    }
}
