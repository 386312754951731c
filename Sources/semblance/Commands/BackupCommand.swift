import ArgumentParser
import Catalog
import Glibc
import SystemPackage

/// `semblance backup`: copies of both databases.
struct BackupCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the bot's database to FILE and ours to FILE.semblance, while both are in use.",
        discussion: "Each copy is checked before it gets its name. A file that is there is never written over."
    )

    @Argument(help: "The copy of the bot's database.")
    var file: String

    @OptionGroup var locations: LocationOptions

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let target = settings.workingDirectory.pushing(FilePath(file)).lexicallyNormalized()
        let ours = FilePath(target.string + ".semblance")
        for path in [target, ours] {
            guard path.withPlatformString({ access($0, F_OK) }) != 0 else {
                throw CommandError(.cannotWrite, "\(path) is there already, and is not written over")
            }
        }
        try Backup.copy(try SQLiteMainDatabase(settings.address), to: target)
        Console.data("\(target): the bot's database")
        if let vectors = try SQLiteVectorDatabase.existing(path: settings.vectorDatabase) {
            try Backup.copy(vectors, to: ours)
            Console.data("\(ours): our vectors")
        }
        return .done
    }
}
