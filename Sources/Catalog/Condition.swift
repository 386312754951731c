import Vectors

/// How an image stands towards the wanted embedding space.
package enum Condition: Sendable, Equatable {
    /// Its vector of the wanted space stands in both databases.
    case embedded
    /// Its vector of the wanted space is ours, and the bot's database has yet to get it: it holds nothing, or a vector of
    /// ours of another space.
    case unpublished
    /// It has no vector at all.
    case pending
    /// It has something else in the place of the vector.
    case stale(Staleness)

    /// What stands in the place of a vector of the wanted space.
    package enum Staleness: String, Sendable, CaseIterable, Codable {
        /// Another model's vector, by its label.
        case otherModel = "other model"
        /// A vector that we made, of another space than the wanted one.
        case otherSpace = "of another space"
        /// Random numbers that old releases of the bot stored under a model's name.
        case noModel = "made by no model"
        /// Bytes that are no vector.
        case damaged
        /// A well-formed vector that Semblance did not write: the label on it proves nothing.
        case unknownOrigin = "of unknown origin"
    }

    /// Compares what the bot's database holds with what ours says.
    ///
    /// - Parameters:
    ///   - ours: The image's vector of the wanted space.
    ///   - elsewhere: Its vectors of other spaces.
    init(of image: ImageRecord, ours: VectorRecord?, elsewhere: [VectorRecord] = [], model: String) {
        let digest = ours == nil && elsewhere.isEmpty ? nil : image.storedDigest
        self.init(of: image, digest: digest, ours: ours, elsewhere: elsewhere, model: model)
    }

    /// - Parameter digest: The image's `storedDigest`; of no matter where we have no vector of it.
    init(of image: ImageRecord, digest: [UInt8]?, ours: VectorRecord?, elsewhere: [VectorRecord], model: String) {
        let isOfOtherSpace = elsewhere.contains { $0.isHeld(by: image, digest: digest) }
        if let ours, ours.fileUniqueID == image.fileUniqueID {
            if image.label == model, ours.isHeld(by: image, digest: digest) {
                self = .embedded
                return
            }
            if !ours.isPublished || isOfOtherSpace {
                self = .unpublished
                return
            }
        }
        self = isOfOtherSpace ? .stale(.otherSpace) : Self.withoutProvenance(image, model: model)
    }

    private static func withoutProvenance(_ image: ImageRecord, model: String) -> Condition {
        switch image.stored {
        case .nothing: return .pending
        case .tooLarge, .notABlob: return .stale(.damaged)
        case .blob(let bytes):
            switch EmbeddingBlob.read(bytes) {
            case .damaged: return .stale(.damaged)
            case .random: return .stale(.noModel)
            case .embedding, .notUnitLength:
                return .stale(image.label == nil || image.label == model ? .unknownOrigin : .otherModel)
            }
        }
    }

    /// Whether something of the bot's database would be overwritten.
    package var isReplacement: Bool {
        if case .stale = self { return true }
        return false
    }
}
