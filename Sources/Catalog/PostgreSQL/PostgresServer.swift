package import PostgreSQL

/// A database of PostgreSQL, whose errors become sentences that name it.
package final class PostgresServer: Sendable {
    private let pool: PostgresPool
    /// What messages call it.
    package let name: String

    /// - Parameters:
    ///   - patience: How long something that passes, such as a restart of the server, is waited for.
    ///   - isAbandoned: Whether the program is to end, so that nothing is waited for.
    ///   - announce: Told once per wait why there is one.
    package init(
        _ address: PostgresAddress,
        patience: Duration = .seconds(5),
        isAbandoned: @escaping @Sendable () -> Bool = { false },
        announce: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        name = address.description
        pool = PostgresPool(address, patience: patience, isAbandoned: isAbandoned) { announce($0.description) }
    }

    /// Runs statements that may be repeated.
    func run<Value>(_ work: (PostgresConnection) throws -> Value) throws(CatalogError) -> Value {
        try naming { try pool.withConnection(work) }
    }

    /// Runs one statement that may be repeated.
    @discardableResult
    func execute(_ sql: String, _ parameters: [PostgresValue] = []) throws(CatalogError) -> PostgresResult {
        try run { try $0.execute(sql, parameters) }
    }

    /// Its version, and how this program is connected to it, in words.
    package func state() throws(CatalogError) -> String {
        let row = try execute(
            """
            SELECT current_setting('server_version'), pg_is_in_recovery(),
                (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())
            """
        ).rows.first
        let role = row?.bool(1) == true ? ", a standby that takes no writes" : ""
        return "PostgreSQL \(row?.text(0) ?? "")\(role), \(row?.bool(2) == true ? "encrypted" : "not encrypted")"
    }

    /// The server's time, in seconds since 1970.
    package func now() throws(CatalogError) -> Double {
        try execute("SELECT extract(epoch FROM clock_timestamp())::float8").rows.first?.double(0) ?? 0
    }

    /// Runs a transaction whose repetition changes nothing.
    func transaction<Value>(_ work: (PostgresConnection) throws -> Value) throws(CatalogError) -> Value {
        try naming { try pool.transaction(work) }
    }

    /// Runs a transaction that may happen only once.
    ///
    /// - Parameter settle: What it gave, where it was committed after all; `nil` where it was not.
    func transaction<Value>(
        settle: (PostgresConnection) throws -> Value?,
        _ work: (PostgresConnection) throws -> Value
    ) throws(CatalogError) -> Value {
        try naming { try pool.transaction(settle: settle, work) }
    }

    private func naming<Value>(_ work: () throws -> Value) throws(CatalogError) -> Value {
        do {
            return try work()
        } catch let error as CatalogError {
            throw error
        } catch let error as PostgresError {
            throw CatalogError(error, server: name)
        } catch {
            throw CatalogError(.corrupt, "\(name): \(error)")
        }
    }
}

extension CatalogError {
    /// Says what an error of the server's means, without statements and values.
    init(_ error: PostgresError, server: String) {
        let place = server.prefix(1).uppercased() + server.dropFirst()
        switch error.code {
        case .unreachable, .outcomeUnknown:
            self.init(.unavailable, "\(place) cannot be reached: \(error)")
        case .refused:
            self.init(.notPermitted, "\(place) does not let this program in: \(error)")
        case .contention, .timeout:
            self.init(.locked, "\(place) is busy with something else: \(error); try again later")
        case .crowded:
            self.init(.locked, "\(place) has no connection left; try again later, or raise max_connections")
        case .readOnly:
            self.init(.cannotWrite, "\(place) takes no writes: it is a standby, or was made read-only")
        case .full:
            self.init(.cannotWrite, "\(place) cannot write: \(error). Free some space and run again")
        case .forbidden:
            self.init(.notPermitted, "\(place): \(error); its owner has to grant that to this user")
        case .missing where error.description.contains("semblance"):
            self.init(
                .schema,
                "\(place) has no tables of Semblance yet; run semblance init as a user who may make them"
            )
        default:
            self.init(.schema, "\(place): \(error)")
        }
    }
}
