import FoundationEssentials
import Glibc
import SystemPackage

/// Where an installed Semblance finds what it loads at run time.
enum Installation {
    /// The folders that are searched: the program's own, `../lib/semblance` beside it, then `.deps/lib` in each folder
    /// above it, where `Scripts/setup` puts things.
    static var libraryFolders: [FilePath] {
        [programFolder, programFolder.removingLastComponent().appending("lib/semblance")]
            + foldersAboveProgram.map { $0.appending(".deps/lib") }
    }

    /// The first of the folders' files of a name.
    static func file(_ name: String) -> FilePath? {
        libraryFolders.map { $0.appending(name) }.first(where: exists)
    }

    /// The folder of models: the user's own where it is there, else the one that `Scripts/setup` fills.
    static func models(_ environment: [String: String]) -> FilePath? {
        let data = environment["XDG_DATA_HOME"].map { FilePath($0) }
        let home = environment["HOME"].map { FilePath($0).appending(".local/share") }
        let own = (data ?? home)?.appending("semblance/models")
        let made = foldersAboveProgram.map { $0.appending(".deps/models") }.first(where: exists)
        return own.flatMap { exists($0) ? $0 : nil } ?? made ?? own
    }

    private static let programFolder: FilePath = {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return FilePath(path ?? "/usr/bin/semblance").removingLastComponent()
    }()

    private static var foldersAboveProgram: [FilePath] {
        sequence(first: programFolder) { $0.components.isEmpty ? nil : $0.removingLastComponent() }.prefix(6)
            .dropFirst()
            .map { $0 }
    }

    private static func exists(_ path: FilePath) -> Bool {
        path.withPlatformString { access($0, F_OK) } == 0
    }
}
