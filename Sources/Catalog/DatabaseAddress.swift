import Glibc
package import SystemPackage

/// Where the bot's database is: what `DATABASE_URL` says, in SQLAlchemy's form or as a plain path.
///
/// `sqlite+aiosqlite:///./data/bot.db` and `sqlite:///data/bot.db` are relative to the working directory,
/// `sqlite:////srv/bot/data/bot.db` is absolute.
package struct DatabaseAddress: Sendable, Equatable {
    /// The database file, absolute.
    package let path: FilePath
    /// The folder that the bot's relative file paths start from, unless a setting says otherwise: for a relative
    /// address the working directory; for an absolute one the folder above `data`, or the file's own folder.
    package let defaultRoot: FilePath

    /// Parses an address.
    ///
    /// - Throws: `.unsupported` for anything but SQLite; no part of the address is repeated, as it may hold a password.
    package init(_ text: String, workingDirectory: FilePath) throws(CatalogError) {
        let path = FilePath(try Self.path(in: text))
        guard !path.isEmpty else { throw CatalogError(.unsupported, "DATABASE_URL names no file") }
        self.path = workingDirectory.pushing(path).lexicallyNormalized()
        let folder = self.path.removingLastComponent()
        let isBotLayout = folder.lastComponent?.string == "data"
        defaultRoot = path.isRelative ? workingDirectory : isBotLayout ? folder.removingLastComponent() : folder
    }

    private static func path(in text: String) throws(CatalogError) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let name = text[..<scheme.lowerBound]
        guard name == "sqlite" || name.hasPrefix("sqlite+") else {
            throw CatalogError(
                .unsupported,
                name.hasPrefix("postgres")
                    ? "DATABASE_URL names a database of PostgreSQL; this works on a file of SQLite alone (sqlite:///path)"
                    : "DATABASE_URL is of the kind \(name); Semblance works on SQLite (sqlite:///path) and PostgreSQL"
            )
        }
        let rest = text[scheme.upperBound...].prefix { $0 != "?" }
        guard rest.hasPrefix("/") else {
            throw CatalogError(.unsupported, "DATABASE_URL needs three slashes before a path: sqlite:///path")
        }
        return String(rest.dropFirst())
    }

    /// Refuses a path that SQLite cannot protect: nothing there, no file, or a file with a second name (its journal
    /// would lie beside the other one).
    ///
    /// - Returns: The file itself, where the path is a link to it: that is where its journal and its log are.
    @discardableResult
    package func checkFile() throws(CatalogError) -> FilePath {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else {
            throw CatalogError(
                .missing,
                "The database \(path) is not there. Set DATABASE_URL, or make one with semblance import"
            )
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw CatalogError(.missing, "\(path) is not a file") }
        guard status.st_nlink == 1 else {
            throw CatalogError(.corrupt, "\(path) has a second name (a hard link); SQLite cannot keep such a file safe")
        }
        guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
            throw CatalogError(.missing, "\(path) cannot be followed to a file")
        }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }
}
