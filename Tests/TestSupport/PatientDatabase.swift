package import GRDB
package import SystemPackage

extension DatabaseQueue {
    /// A connection as the bot's: it waits for a lock, and checks no foreign keys.
    package static func patient(_ path: FilePath) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(10)
        return try DatabaseQueue(path: path.string, configuration: configuration)
    }
}
