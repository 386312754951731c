/// Which of the bot's new images are embedded without being asked for.
enum AutoEmbedding: String, CaseIterable {
    /// Those sent in artistic mode, as the bot itself means to.
    case artistic
    case all
    case off

    /// The mode that an image must have been sent in; `nil` for every one.
    var mode: String? { self == .artistic ? "artistic" : nil }

    init(_ settings: Settings) throws {
        let wanted = settings.value(of: .autoEmbed)?.text ?? ""
        guard let policy = Self(rawValue: wanted) else {
            let choices = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandError(.usage, "SEMBLANCE_AUTO_EMBED must be one of \(choices), not \(wanted)")
        }
        self = policy
    }
}
