package import Catalog
package import Similarity
package import SystemPackage
package import Vectors

/// What the bot works on, and what the composition does for it.
///
/// All functions block.
package struct BotLibrary: Sendable {
    /// The bot's database, for reading.
    package let main: @Sendable () throws -> any MainDatabase
    /// The same for adding and removing images.
    package let registry: @Sendable () throws -> ImageRegistry
    /// The folder that the paths in the rows start from.
    package let root: FilePath
    /// Embeds an image now; throws where that has to wait.
    package let embed: @Sendable (Int64) throws -> Void
    /// The search in the active space; `nil` where nothing is embedded yet.
    package let search: @Sendable () throws -> SimilarityService?
    /// The vector of an image in a space, where it has one.
    package let vector: @Sendable (Int64, SimilarityService) throws -> Embedding?
    /// The vector of words, and what its cosines mean within a scope; throws where the model reads no words.
    package let words: @Sendable (String, Scope, SimilarityService) throws -> (Embedding, TextScale)
    /// How far a scope's images are embedded.
    package let statistics: @Sendable (Scope) throws -> Statistics
    /// Lets everything that was computed of some images go.
    package let forget: @Sendable ([Int64]) throws -> Void
    /// The bytes of a file that an image's row names, where it lies below the root.
    package let readFile: @Sendable (ImageRecord) -> [UInt8]?
    /// Whether the wanted model is here.
    package let isModelHere: @Sendable () -> Bool

    package init(
        main: @escaping @Sendable () throws -> any MainDatabase,
        registry: @escaping @Sendable () throws -> ImageRegistry,
        root: FilePath,
        embed: @escaping @Sendable (Int64) throws -> Void,
        search: @escaping @Sendable () throws -> SimilarityService?,
        vector: @escaping @Sendable (Int64, SimilarityService) throws -> Embedding?,
        words: @escaping @Sendable (String, Scope, SimilarityService) throws -> (Embedding, TextScale),
        statistics: @escaping @Sendable (Scope) throws -> Statistics,
        forget: @escaping @Sendable ([Int64]) throws -> Void,
        readFile: @escaping @Sendable (ImageRecord) -> [UInt8]?,
        isModelHere: @escaping @Sendable () -> Bool
    ) {
        self.main = main
        self.registry = registry
        self.root = root
        self.embed = embed
        self.search = search
        self.vector = vector
        self.words = words
        self.statistics = statistics
        self.forget = forget
        self.readFile = readFile
        self.isModelHere = isModelHere
    }

    /// A copy of a picture to send to somebody: its pixels and nothing else of the file.
    func smallCopy(_ image: ImageRecord) -> [UInt8]? {
        readFile(image).flatMap { try? SentPicture($0).processed }
    }
}
