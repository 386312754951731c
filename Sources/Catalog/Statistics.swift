/// How far a scope's images are embedded, counted honestly.
package struct Statistics: Sendable, Equatable {
    /// Completed images.
    package var total = 0
    /// Images with a vector of the wanted space in both databases; in ours alone where the space is not the active one.
    package var embedded = 0
    /// Images whose vector is computed and has yet to be written into the bot's database.
    package var unpublished = 0
    /// Images with nothing in the place of the vector.
    package var pending = 0
    /// Images with something else in its place, by what it is.
    package var stale: [Condition.Staleness: Int] = [:]
    /// Images without vector whose file is nowhere.
    package var unreachable = 0
    /// Images that failed before, by class, as long as their file is there.
    package var failures: [FailureRecord.Class: Int] = [:]
    /// Places of a damaged database that could not be read.
    package var passedOver = 0
    /// Completed images whose chat is missing, or belongs to nobody that is known for sure.
    package var ownerless = 0
    /// Images whose processing has not completed; not counted anywhere else.
    package var notCompleted = 0

    package init() {}

    /// Images without a vector of the wanted space.
    package var missing: Int { total - embedded }
    /// Stale images of every kind.
    package var staleTotal: Int { stale.values.reduce(0, +) }
    /// Recorded failures of every class.
    package var failureTotal: Int { failures.values.reduce(0, +) }

    /// Percent of the completed images that have a vector of the wanted space; 0 where there are no images.
    package var coverage: Double { share(embedded) }
    /// Percent that have one or could get one.
    package var reachableShare: Double { share(total - unreachable - failureTotal) }

    private func share(_ count: Int) -> Double { total == 0 ? 0 : 100 * Double(count) / Double(total) }

    /// Counts one image.
    mutating func count(_ surveyed: Catalog.SurveyedImage, isReachable: (Catalog.SurveyedImage) -> Bool) {
        guard surveyed.image.isCompleted else {
            notCompleted += 1
            return
        }
        total += 1
        switch surveyed.condition {
        case .embedded:
            embedded += 1
            return
        case .unpublished:
            unpublished += 1
            return
        case .pending: pending += 1
        case .stale(let kind): stale[kind, default: 0] += 1
        }
        if !isReachable(surveyed) {
            unreachable += 1
        } else if let failure = surveyed.failure, failure.kind != .missing {
            failures[failure.kind, default: 0] += 1
        }
    }
}

extension Catalog {
    /// Counts a scope's images.
    ///
    /// - Parameters:
    ///   - salvages: Whether rows that a damaged database cannot give are passed over.
    ///   - isReachable: Whether a file of the image can be had; asked only where the image has no vector.
    package func statistics(
        _ scope: Scope,
        model: String,
        space: StoredSpace?,
        salvages: Bool = false,
        isReachable: (Catalog.SurveyedImage) -> Bool = { _ in true }
    ) throws -> Statistics {
        var statistics = Statistics()
        let owners = try main.owners(required: false)
        statistics.passedOver = try survey(scope, model: model, space: space, salvages: salvages) { page in
            for surveyed in page {
                statistics.count(surveyed, isReachable: isReachable)
                let owner = surveyed.image.chatID.flatMap { owners?.owner(ofChat: $0) }
                if owners != nil && owner == nil && surveyed.image.isCompleted { statistics.ownerless += 1 }
            }
            return true
        }
        if let space, try vectors?.activeSpace() != space {
            statistics.embedded += statistics.unpublished
            statistics.unpublished = 0
        }
        return statistics
    }
}
