import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPServer

@Suite("The guard of connections")
struct ConnectionGuardTests {
    private func connect(_ counts: ConnectionCounts, from address: String) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 4000)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.9", port: 80)).wait()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 4000)
        try channel.pipeline.syncOperations.addHandler(ConnectionGuard(counts, patience: .seconds(20)))
        return channel
    }

    @Test("closes what is one too many for its address, never on loopback, and counts what has ended no more")
    func oneTooMany() throws {
        let counts = ConnectionCounts(limit: 2)
        let held = try (0..<2).map { _ in try connect(counts, from: "192.0.2.1") }
        #expect(try !connect(counts, from: "192.0.2.1").isActive)
        #expect(try connect(counts, from: "192.0.2.2").isActive)
        for _ in 0..<9 { #expect(try connect(counts, from: "127.0.0.1").isActive) }
        try held[0].close().wait()
        #expect(try connect(counts, from: "192.0.2.1").isActive)
    }

    @Test("takes for loopback, which speaks for everybody, what is loopback")
    func loopback() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            #expect(ConnectionGuard.isLoopback(address))
        }
        for address in ["192.0.2.1", "::2", "128.0.0.1"] { #expect(!ConnectionGuard.isLoopback(address)) }
    }
}
