import NIOCore
import Synchronization

/// How many connections each address has open.
final class ConnectionCounts: Sendable {
    private let counts = Mutex([String: Int]())
    /// The most of one address; loopback, where a proxy speaks for everybody, has no limit of its own.
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Counts a connection; `false` where the address has too many.
    func open(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < limit else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    func close(_ address: String) {
        counts.withLock { counts in
            counts[address, default: 1] -= 1
            if counts[address] == 0 { counts[address] = nil }
        }
    }
}

/// Ends a connection that is one too many for its address, or whose reader takes nothing for too long.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let counts: ConnectionCounts
    private let patience: TimeAmount
    private var counted: String?
    private var stall: Scheduled<Void>?

    /// - Parameter patience: How long what was written may wait for the reader.
    init(_ counts: ConnectionCounts, patience: TimeAmount) {
        self.counts = counts
        self.patience = patience
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard let address = context.remoteAddress?.ipAddress, !Self.isLoopback(address) else { return }
        if counts.open(address) { counted = address } else { context.close(promise: nil) }
    }

    static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let counted { counts.close(counted) }
        counted = nil
        stall?.cancel()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = context.channel.isWritable ? nil : closeLater(context.channel)
        context.fireChannelWritabilityChanged()
    }

    private func closeLater(_ channel: any Channel) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }
}
