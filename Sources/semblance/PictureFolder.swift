import Glibc
import SystemPackage

/// The files of a folder and of all folders in it, in the order of their names; links to folders are not followed.
struct PictureFolder {
    private let path: FilePath

    /// - Throws: `CommandError` where there is no such folder.
    init(_ path: FilePath) throws(CommandError) {
        guard Self.kind(of: path) == .directory else {
            throw CommandError(.missingFile, "The folder \(path) is not there")
        }
        self.path = path
    }

    /// All files, as absolute paths.
    func files() throws -> [FilePath] {
        guard let directory = path.withPlatformString({ opendir($0) }) else {
            throw CommandError(.missingFile, "The folder \(path) cannot be read")
        }
        defer { closedir(directory) }
        var entries: [FilePath] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { FilePath(platformString: $0) }
            }
            guard name != ".", name != "..", let last = name.lastComponent else { continue }
            entries.append(path.appending(last))
        }
        return try entries.sorted { $0.string < $1.string }.flatMap { entry in
            switch Self.kind(of: entry) {
            case .regular: [entry]
            case .directory: try PictureFolder(entry).files()
            default: [FilePath]()
            }
        }
    }

    /// What is at a path; of a link only whether it leads to a file.
    private static func kind(of path: FilePath) -> FileType? {
        let kind = try? path.stat(followTargetSymlink: false).type
        guard kind == .symbolicLink else { return kind }
        let target = try? path.stat().type
        return target == .regular ? .regular : nil
    }
}
