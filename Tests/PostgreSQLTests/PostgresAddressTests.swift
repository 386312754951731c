import TestSupport
import Testing

@testable import PostgreSQL

@Suite("An address of a PostgreSQL database")
struct PostgresAddressTests {
    @Test("is read in SQLAlchemy's form, with escapes, ports, sockets and options")
    func parsing() throws {
        let address = try PostgresAddress("postgresql+asyncpg://bot:p%40ss%2Fword@db.example:6432/tele%20gram")
        #expect(address.parameters["user"] == "bot" && address.parameters["password"] == "p@ss/word")
        #expect(address.parameters["host"] == "db.example" && address.parameters["port"] == "6432")
        #expect(address.parameters["dbname"] == "tele gram")
        let driver = try PostgresAddress("postgresql+asyncpg://h/a?prepared_statement_cache_size=0&ssl=require")
        #expect(driver.parameters == ["host": "h", "dbname": "a", "sslmode": "require"])
        let six = try PostgresAddress("postgres://[::1]:5433/a?connect_timeout=3")
        #expect(six.parameters["host"] == "::1" && six.parameters["connect_timeout"] == "3")
        let socket = try PostgresAddress("postgresql:///a?host=/run/postgresql")
        #expect(socket.parameters["host"] == "/run/postgresql" && socket.parameters["sslmode"] == "prefer")
    }

    @Test("lets nobody read its password")
    func secrecy() throws {
        let address = try PostgresAddress("postgresql://bot:hunter2@db.example/a")
        #expect(address.hasPassword)
        #expect(!address.description.contains("hunter2") && !address.description.contains("bot"))
    }

    @Test("wants the server to prove who it is, unless that is this machine or something else is asked for")
    func encryption() throws {
        func mode(_ text: String, _ environment: [String: String] = [:]) throws -> String? {
            try PostgresAddress(text, environment: environment).parameters["sslmode"]
        }
        #expect(try mode("postgresql://db.example/a") == "verify-full")
        #expect(try mode("postgresql://10.0.0.7/a") == "verify-full")
        #expect(try mode("postgresql://localhost.example/a") == "verify-full")
        #expect(try mode("postgresql://127.0.0.1,db.example/a") == "verify-full")
        #expect(try mode("postgresql:///a", ["PGHOST": "db.example"]) == "verify-full")
        for local in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", ""] {
            #expect(try mode("postgresql://\(local)/a") == "prefer")
        }
        #expect(try mode("postgresql://db.example/a?ssl=require") == "require")
        #expect(try mode("postgresql://db.example/a", ["PGSSLMODE": "require"]) == nil)
    }

    @Test(
        "is refused where it means nothing, without a word of it being repeated",
        arguments: [
            "mysql://a/b", "postgresql://a:x@h:0/b", "postgresql://a:secret@h:port/b", "postgresql://a:%zz@h/b",
            "postgresql://a:secret@h/b?options=-c%20secret", "postgresql://a:%00@h/b",
        ]
    )
    func refusals(text: String) {
        let fault = #expect(throws: PostgresAddress.Fault.self) { try PostgresAddress(text) }
        #expect(fault?.description.contains("secret") == false)
    }
}
