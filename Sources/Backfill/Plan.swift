package import Catalog

/// What a run would do with each image, counted.
package struct Plan: Sendable, Equatable {
    /// Images without a vector that will be embedded.
    package var toEmbed = 0
    /// Images whose stale vector will be replaced, by what it is.
    package var toReplace: [Condition.Staleness: Int] = [:]
    /// Images whose vector is computed and only has to be written into the bot's database.
    package var toPublish = 0
    /// Images whose vector is ours, and whose file has to be looked at again for the sake of its perceptual hash.
    package var toDescribe = 0
    /// Images left alone because of a recorded failure, by class.
    package var skipped: [FailureRecord.Class: Int] = [:]
    /// Images that are embedded already.
    package var done = 0

    /// Images that a run would touch.
    package var total: Int { toEmbed + toPublish + toDescribe + replacements }
    /// Stale vectors that a run would replace.
    package var replacements: Int { toReplace.values.reduce(0, +) }

    mutating func count(_ decision: Decision, _ condition: Condition) {
        switch (decision, condition) {
        case (.nothing, _): done += 1
        case (.skip(let kind), _): skipped[kind, default: 0] += 1
        case (.publish, _): toPublish += 1
        case (.describe, _): toDescribe += 1
        case (.embed, .stale(let kind)): toReplace[kind, default: 0] += 1
        case (.embed, _): toEmbed += 1
        }
    }
}

/// What is to be done with one image.
enum Decision: Equatable {
    case nothing
    case publish
    case embed
    case describe
    case skip(FailureRecord.Class)

    /// - Parameter publishes: Whether the space is the active one, whose vectors the bot's rows get.
    init(for surveyed: Catalog.SurveyedImage, publishes: Bool, files: SourceFiles, policy: FailurePolicy) {
        switch surveyed.condition {
        case .unpublished where publishes: self = .publish
        case .embedded where publishes && !surveyed.isMarked: self = .publish
        case .embedded, .unpublished:
            self = surveyed.undescribedSource == nil ? .nothing : Self.attempt(.describe, surveyed, files, policy)
        case .pending, .stale: self = Self.attempt(.embed, surveyed, files, policy)
        }
    }

    /// What needs the file waits where that failed before.
    private static func attempt(
        _ decision: Decision,
        _ surveyed: Catalog.SurveyedImage,
        _ files: SourceFiles,
        _ policy: FailurePolicy
    ) -> Decision {
        guard let failure = surveyed.failure else { return decision }
        let fingerprint = try? files.fingerprint(of: surveyed.image)
        return policy.shouldTry(failure, fingerprint: fingerprint) ? decision : .skip(failure.kind)
    }
}
