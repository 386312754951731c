import Vectors

/// How an image stands towards the wanted embedding space.
package enum Condition: Sendable, Equatable {
    /// Its vector of the wanted space stands in both databases.
    case embedded
    /// Its vector of the wanted space is ours already, and has yet to be written into the bot's database.
    case unpublished
    /// It has no vector at all.
    case pending
    /// It has something else in the place of the vector.
    case stale(Staleness)

    /// What stands in the place of a vector of the wanted space.
    package enum Staleness: String, Sendable, CaseIterable, Codable {
        /// Another model's vector, by its label or by our own records.
        case otherModel = "other model"
        /// Random numbers that old releases of the bot stored under a model's name.
        case noModel = "made by no model"
        /// Bytes that are no vector.
        case damaged
        /// A well-formed vector that Semblance did not write: the label on it proves nothing.
        case unknownOrigin = "of unknown origin"
    }

    /// Compares what the bot's database holds with what ours says.
    init(of image: ImageRecord, ours: VectorRecord?, model: String) {
        if let ours, ours.fileUniqueID == image.fileUniqueID {
            if case .blob(let bytes) = image.stored, ours.isBlob(bytes), image.label == model {
                self = .embedded
                return
            }
            if !ours.isPublished {
                self = .unpublished
                return
            }
        }
        self = Self.withoutProvenance(image, model: model)
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
