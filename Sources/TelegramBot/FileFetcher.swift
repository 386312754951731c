import Catalog
import Foundation
import SystemPackage

/// Fetches files again that Telegram still has.
package struct FileFetcher: Sendable {
    private let intake: PictureIntake
    private let root: FilePath

    package init(_ api: BotAPI, _ library: BotLibrary, _ rules: BotRules) {
        intake = PictureIntake(api: api, library: library, rules: rules)
        root = library.root
    }

    /// Puts a file into its place.
    ///
    /// What comes late is waited for: too many calls as long as Telegram says, silence for five growing pauses.
    ///
    /// - Returns: Its path as it stands in a row; `nil` where Telegram has it no more, or it is no picture.
    package func fetch(_ fileID: String) async throws -> String? {
        var backoff = Backoff()
        for attempt in 1... {
            do {
                let bytes = try await intake.fetch(fileID)
                guard let picture = try? SentPicture(bytes), let name = PictureFile.plainName(fileID) else {
                    return nil
                }
                let path = "data/raw/\(name)_\(Int(Date().timeIntervalSince1970)).\(picture.fileExtension)"
                try await blocking { [root] in try AtomicFile.write(bytes, root.pushing(FilePath(path))) }
                return path
            } catch let error as BotError where error.code == .refused {
                return nil
            } catch let error as BotError where error.code == .tooMany {
                try await Task.sleep(for: .seconds((error.wait ?? 1) + 0.5))
            } catch let error as BotError where error.code == .unavailable && attempt < 6 {
                try await Task.sleep(for: .seconds(backoff.next()))
            }
        }
        return nil
    }
}
