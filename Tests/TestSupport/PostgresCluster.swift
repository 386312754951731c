import Foundation
import PostgreSQL
import Synchronization
package import SystemPackage

/// A real server of PostgreSQL for this run of the tests: made when it is first needed, gone when the run ends.
package struct PostgresCluster: Sendable {
    /// With pgvector.
    package static let shared = Result { try PostgresCluster("vector", []) }
    /// One that is restarted under its clients.
    package static let crashing = Result { try PostgresCluster("crashing", []) }
    /// Debian's, which has no pgvector.
    package static let plain = Result { try PostgresCluster("plain", ["plain"]) }

    /// One that speaks TLS as well, with a certificate of `localhost`.
    package static let encrypted = Result {
        let cluster = try PostgresCluster("encrypted", ["plain"])
        try cluster.encrypt()
        return cluster
    }

    /// Whoever trusts this file trusts the server.
    package var certificate: FilePath { folder.appending("server.crt") }

    private static let folders = Mutex<[FilePath]>([])
    private static let number = Mutex(0)
    private static let root = "/tmp/semblance-postgres-of-"

    /// Where its files are.
    package let folder: FilePath
    private let port: String

    private init(_ name: String, _ options: [String]) throws {
        let folder = FilePath("\(Self.root)\(getpid())-\(name)")
        self.folder = folder
        let isFirst = Self.folders.withLock { folders in
            folders.append(folder)
            return folders.count == 1
        }
        if isFirst {
            Self.removeLeftovers()
            atexit { PostgresCluster.stopAll() }
        }
        let address = try Self.script(["start", folder.string] + options).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
        guard let port = address.split(separator: ":").last?.split(separator: "/").first else {
            throw TestSupportError("The server told no address")
        }
        self.port = String(port)
    }

    @discardableResult
    private static func script(_ arguments: [String]) throws -> String {
        let path = Fixtures.project.appending("Scripts/postgres")
        let environment = ["PATH": "/usr/sbin:/usr/bin:/bin", "SEMBLANCE_POSTGRES_FSYNC": "off"]
        let outcome = try Program(path, arguments, in: "/tmp", environment: environment).wait()
        guard outcome.status == 0 else { throw TestSupportError("Scripts/postgres: \(outcome.errors)") }
        return outcome.output
    }

    /// What a run that was killed left behind.
    private static func removeLeftovers() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] {
            let path = "/tmp/" + name
            guard path.hasPrefix(root), let id = pid_t(path.dropFirst(root.count).prefix { $0 != "-" }),
                kill(id, 0) != 0
            else { continue }
            _ = try? script(["stop", path, "immediate"])
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private static func stopAll() {
        for folder in folders.withLock({ $0 }) {
            _ = try? script(["stop", folder.string, "immediate"])
            try? FileManager.default.removeItem(atPath: folder.string)
        }
    }

    private func encrypt() throws {
        let data = folder.appending("data").string
        let script = """
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
                -keyout \(data)/server.key -out \(data)/server.crt 2>/dev/null
            cp \(data)/server.crt \(certificate)
            chown --reference=\(data)/PG_VERSION \(data)/server.key \(data)/server.crt
            chmod 600 \(data)/server.key
            """
        let outcome = try Program("/bin/sh", ["-ec", script], in: "/tmp", environment: ["PATH": "/usr/bin:/bin"]).wait()
        guard outcome.status == 0 else { throw TestSupportError("no certificate: \(outcome.errors)") }
        let pool = PostgresPool(try PostgresAddress(address("postgres")))
        try pool.withConnection { connection in
            try connection.run("ALTER SYSTEM SET ssl = on")
            try connection.run("SELECT pg_reload_conf()")
        }
    }

    /// Stops and starts the server, without letting it finish anything.
    package func restartImmediately() throws { try Self.script(["restart", folder.string, "immediate"]) }

    /// The address of a database of this server.
    package func address(_ database: String, user: String = "postgres") -> String {
        "postgresql+asyncpg://\(user)@127.0.0.1:\(port)/\(database)"
    }

    /// Makes a database of its own for a test, and removes it afterwards.
    package func withDatabase<Value>(_ body: (PostgresBot) throws -> Value) throws -> Value {
        let name = Self.number.withLock { number in
            number += 1
            return "test_\(number)"
        }
        let maintenance = PostgresPool(try PostgresAddress(address("postgres")))
        try maintenance.withConnection { try $0.run("CREATE DATABASE \(name)") }
        defer { _ = try? maintenance.withConnection { try $0.run("DROP DATABASE \(name) WITH (FORCE)") } }
        return try body(PostgresBot(address: address(name)))
    }
}
