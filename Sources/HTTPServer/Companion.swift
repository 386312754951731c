package import ServiceLifecycle

/// A service that runs beside the server: `/health` says how it is, and another program may call it through the server.
package struct Companion: Sendable {
    /// Its check in `/health`.
    package let name: String
    /// "ok", or what is wrong.
    package let state: @Sendable () -> String
    package let service: any Service
    package let webhook: Webhook?

    package init(
        name: String,
        state: @escaping @Sendable () -> String,
        service: any Service,
        webhook: Webhook?
    ) {
        self.name = name
        self.state = state
        self.service = service
        self.webhook = webhook
    }
}

/// The address `/telegram`, which Telegram calls with a secret of its own in the place of a key.
package struct Webhook: Sendable {
    /// The name under which it is called.
    package let host: String
    package let secret: String
    /// Keeps what came; returns whether it is what it should be.
    package let receive: @Sendable ([UInt8]) throws -> Bool

    package init(host: String, secret: String, receive: @escaping @Sendable ([UInt8]) throws -> Bool) {
        self.host = host
        self.secret = secret
        self.receive = receive
    }

    static let path = "/telegram"
    /// In bytes; Telegram's updates have at most 64 KiB.
    static let largestBody = 256 << 10
}
