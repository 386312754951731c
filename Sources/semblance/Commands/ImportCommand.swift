import ArgumentParser
import Catalog
import Digests
import Glibc
import ImageDecoding
import SystemPackage

/// `semblance import`: registers a folder's pictures as images of a user.
struct ImportCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Register a folder's pictures as images of a user, for a library without a bot.",
        discussion: """
            Makes the database with the bot's tables where there is none. Pictures stay where they are; importing the \
            same folder again adds only what is new.
            """
    )

    @Argument(help: "The folder, searched with all folders in it.")
    var folder: String

    @Option(help: "The user's Telegram id.")
    var userId: Int64

    @Option(
        parsing: .unconditional,
        help: "The chat's Telegram id, negative for groups; the user's own chat unless given."
    )
    var chatId: Int64?

    @Option(help: "The mode that the pictures count as sent in: default, formal or artistic.")
    var mode = "default"

    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard userId > 0 else { throw ValidationError("--user-id takes a Telegram user id, which is above 0.") }
        guard ["default", "formal", "artistic"].contains(mode) else {
            throw ValidationError("--mode takes default, formal or artistic.")
        }
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let start = settings.workingDirectory.pushing(FilePath(folder)).lexicallyNormalized()
        let files = try PictureFolder(start).files()
        let registry = try ImageRegistry(settings.address)
        let chat = chatId ?? userId
        let row = try registry.chat(chat, ofUser: userId, mode: mode)
        let (pictures, others) = look(at: files, chat: chat, root: try settings.root)
        let added = try registry.add(pictures, toChat: row, mode: mode)
        Console.data("Registered \(Counts.images(added)) of user \(userId) in chat \(chat), mode \(mode).")
        if pictures.count > added { Console.data("Already registered: \(pictures.count - added)") }
        if others > 0 { Console.data("Other files, left out: \(others)") }
        return .done
    }

    /// Reads the files' headers; names each picture that is damaged or too large, and counts what is no picture.
    private func look(
        at files: [FilePath],
        chat: Int64,
        root: FilePath
    ) -> (pictures: [ImageRegistry.Picture], others: Int) {
        var pictures: [ImageRegistry.Picture] = []
        var others = 0
        for file in files {
            do {
                pictures.append(try picture(file, chat: chat, root: root))
            } catch let error as ImageDecodingError where error.code == .unsupported || error.code == .truncated {
                others += 1
            } catch {
                others += 1
                Console.say("\(file): \(error)")
            }
        }
        return (pictures, others)
    }

    private func picture(_ file: FilePath, chat: Int64, root: FilePath) throws -> ImageRegistry.Picture {
        let bytes = try PictureFile.read(file)
        let header = try ImageDecoder.header(of: bytes)
        var path = file
        _ = path.removePrefix(root)
        let name = file.withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        let identity = Array("\(chat) ".utf8) + name
        return ImageRegistry.Picture(
            path: path,
            fileUniqueID: "import-" + SHA256Digest(of: identity).hexadecimal.prefix(32),
            byteCount: bytes.count,
            width: header.width,
            height: header.height,
            format: header.format == .jpeg ? "jpg" : header.format.rawValue
        )
    }
}
