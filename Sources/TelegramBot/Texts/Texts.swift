import Foundation

/// What the bot says, in one language; each language is a file beside this one.
struct Texts: Sendable {
    /// A text's name in the files; every file has all of them.
    enum Key: String, CaseIterable, Sendable {
        case start, help, mode, modes, kept, keptMany, similar, similarLine, caption, noneClose, noneMissing, noneModel
        case noneYet, noMore, again, tooLarge, unsupported, unreadable, gone, failed, replyToPicture, unknownPicture
        case searchUsage, noWords, found, notFound, gallery, galleryEmpty, stats, deleted, confirmDelete, deletedAll
        case keptAll, notYours, notYourPicture, `private`, owner, slow, full, privateOnly
        case buttonChat, buttonAll, buttonMore, buttonNewer, buttonOlder, buttonDelete, buttonKeep
        case date, dateYear, months
        case menuMode, menuSimilar, menuSearch, menuGallery, menuStats, menuDelete, menuDeleteData, menuHelp
    }

    /// All languages, by their codes.
    static let languages: [String: Texts] = [
        "en": Texts(PackageResources.en_json), "ru": Texts(PackageResources.ru_json),
    ]

    private let values: [String: String]

    private init(_ file: [UInt8]) {
        values = (try? JSONDecoder().decode([String: String].self, from: Data(file))) ?? [:]
    }

    /// The texts for somebody whose Telegram speaks a language; English for all that there is no file of.
    static func speaking(_ code: String?) -> Texts {
        let language = (code ?? "").prefix { $0 != "-" }.lowercased()
        return languages[language] ?? languages["en"] ?? Texts([])
    }

    /// A text with its places filled.
    func callAsFunction(_ key: Key, _ places: [String: String] = [:]) -> String {
        places.reduce(values[key.rawValue] ?? key.rawValue) { text, place in
            text.replacingOccurrences(of: "{\(place.key)}", with: place.value)
        }
    }

    /// Whether the file has a text.
    func has(_ key: Key) -> Bool { values[key.rawValue]?.isEmpty == false }

    /// A day as the bot's database writes it, such as "3 May", with the year where it is another one than this.
    func day(_ text: String?, now: Date = .now) -> String {
        let parts = (text ?? "").prefix(10).split(separator: "-").compactMap { Int($0) }
        let names = self(.months).split(separator: ",").map(String.init)
        guard parts.count == 3, names.indices.contains(parts[1] - 1) else { return "?" }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let isThisYear = calendar.component(.year, from: now) == parts[0]
        return self(
            isThisYear ? .date : .dateYear,
            ["day": "\(parts[2])", "month": names[parts[1] - 1], "year": "\(parts[0])"]
        )
    }

    /// The commands for the menu.
    var menu: [BotCommand] {
        [
            ("mode", .menuMode), ("similar", .menuSimilar), ("search", .menuSearch), ("gallery", .menuGallery),
            ("stats", .menuStats), ("delete", .menuDelete), ("deletedata", .menuDeleteData), ("help", .menuHelp),
        ].map { (name: String, key: Key) in BotCommand(command: name, description: self(key)) }
    }
}
