import ServiceLifecycle
import TelegramBot

/// The bot as a part of the server: where Telegram sends it away the server goes on without it, and `/health` says so.
struct BotBesideServer: Service {
    let bot: TelegramBot

    func run() async throws {
        do {
            try await bot.run()
        } catch {
            Console.say("The bot has ended: \(error)")
            try? await gracefulShutdown()
        }
    }
}
