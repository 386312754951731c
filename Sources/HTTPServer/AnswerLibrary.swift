package import Catalog
package import EmbeddingModel
import ImageDecoding
package import Similarity
import Synchronization
package import SystemPackage
package import Vectors

/// What the server answers from: both databases, the active space in memory, and the model once something needs it.
///
/// Everything is opened when it is first asked for, and opened anew where our database's file was exchanged or another
/// space became active. Called from several threads.
package final class AnswerLibrary: Sendable {
    /// How the parts are opened, which the composition knows.
    package struct Sources: Sendable {
        package let openMain: @Sendable () throws -> any MainDatabase
        package let openVectors: @Sendable () throws -> (any VectorDatabase)?
        /// The files of both databases; none where a server has them.
        package let databases: [FilePath]
        /// How the vectors of a space are ranked.
        package let makeSearch: @Sendable (Catalog, StoredSpace) throws -> any NearestSearch
        /// Who embeds, where any number of programs may.
        package let workers: (@Sendable () throws -> Workers.State)?
        package let loadImageEncoder: @Sendable (EmbeddingSpace) throws -> ImageEncoder
        package let loadTextEncoder: @Sendable (EmbeddingSpace) throws -> TextEncoder
        /// Whether the model that made a space is here.
        package let isModelHere: @Sendable (EmbeddingSpace?) -> Bool
        /// Whether a file of an image can be had.
        package let isReachable: @Sendable (Catalog.SurveyedImage) -> Bool
        /// The bytes of an image's file and what its state is called; `nil` where others may not be shown it.
        package let readFile: @Sendable (ImageRecord) -> (bytes: [UInt8], state: String)?
        /// The model that is wanted, for where there is no space yet.
        package let model: String

        package init(
            openMain: @escaping @Sendable () throws -> any MainDatabase,
            openVectors: @escaping @Sendable () throws -> (any VectorDatabase)?,
            databases: [FilePath],
            makeSearch: @escaping @Sendable (Catalog, StoredSpace) throws -> any NearestSearch = { catalog, space in
                try ResidentVectors(catalog, space: space)
            },
            workers: (@Sendable () throws -> Workers.State)? = nil,
            loadImageEncoder: @escaping @Sendable (EmbeddingSpace) throws -> ImageEncoder,
            loadTextEncoder: @escaping @Sendable (EmbeddingSpace) throws -> TextEncoder,
            isModelHere: @escaping @Sendable (EmbeddingSpace?) -> Bool,
            isReachable: @escaping @Sendable (Catalog.SurveyedImage) -> Bool,
            readFile: @escaping @Sendable (ImageRecord) -> (bytes: [UInt8], state: String)?,
            model: String
        ) {
            self.openMain = openMain
            self.openVectors = openVectors
            self.databases = databases
            self.makeSearch = makeSearch
            self.workers = workers
            self.loadImageEncoder = loadImageEncoder
            self.loadTextEncoder = loadTextEncoder
            self.isModelHere = isModelHere
            self.isReachable = isReachable
            self.readFile = readFile
            self.model = model
        }
    }

    let sources: Sources
    private let opened = Mutex<Opened?>(nil)
    /// Held while a part is loaded.
    private let loading = Mutex(())

    private struct Opened: Sendable {
        let catalog: Catalog
        /// The databases' files when they were opened.
        let files: [FileIdentity?]
        var service: SimilarityService?
        var imageEncoder: ImageEncoder?
        var textEncoder: TextEncoder?
        /// What cosines of words mean, by whose pictures are searched; measured anew after a while.
        var scales: [ScaleKey: (scale: TextScale, at: ContinuousClock.Instant)] = [:]
    }

    /// What a scale belongs to.
    private struct ScaleKey: Hashable {
        let space: Int64
        let scope: Scope
    }

    private static let scaleLifetime = Duration.seconds(600)

    package init(_ sources: Sources) { self.sources = sources }

    /// The databases.
    package func catalog() throws -> Catalog { try withState { $0.catalog } }

    /// The service that answers from the active space; the first time it may be read into memory.
    package func service() throws -> SimilarityService {
        try loaded(\.service, isRight: { service, space in service.space == space }) { catalog, space in
            SimilarityService(catalog, space: space, search: try sources.makeSearch(catalog, space))
        }
    }

    /// The service, where anything is embedded.
    package func serviceIfEmbedded() throws -> SimilarityService? {
        try catalog().vectors?.activeSpace() == nil ? nil : service()
    }

    /// Whether the model that the answers need is here.
    package func isModelHere() -> Bool { sources.isModelHere(try? answering().space?.space) }

    /// A part that belongs to the active space, loaded where it is missing.
    ///
    /// Loading takes seconds; until it is done others who want the same wait, and nobody else.
    private func loaded<Part: Sendable>(
        _ part: any WritableKeyPath<Opened, Part?> & Sendable,
        isRight: (Part, StoredSpace) -> Bool,
        _ load: (Catalog, StoredSpace) throws -> Part
    ) throws -> Part {
        func present() throws -> (catalog: Catalog, space: StoredSpace, part: Part?) {
            try withState { state in
                guard let space = try state.catalog.vectors?.activeSpace() else {
                    throw Problem(.notEmbedded, "No image has an embedding yet.")
                }
                let found = state[keyPath: part].flatMap { isRight($0, space) ? $0 : nil }
                return (state.catalog, space, found)
            }
        }
        if let found = try present().part { return found }
        return try loading.withLock { _ in
            let (catalog, space, found) = try present()
            if let found { return found }
            let new = try load(catalog, space)
            try withState { $0[keyPath: part] = new }
            return new
        }
    }

    /// The space that answers come from, and its model; the wanted one where nothing is embedded yet.
    func answering() throws -> (catalog: Catalog, space: StoredSpace?, model: String) {
        let catalog = try catalog()
        let space = try catalog.vectors?.activeSpace()
        return (catalog, space, space?.space.model ?? sources.model)
    }

    /// How far the images of a scope are embedded.
    package func statistics(_ scope: Scope) throws -> (statistics: Statistics, model: String) {
        let (catalog, space, model) = try answering()
        let statistics = try catalog.statistics(scope, model: model, space: space, isReachable: sources.isReachable)
        return (statistics, model)
    }

    /// Numbers that change when anybody has written to a database.
    func versions() throws -> [Int] {
        let catalog = try catalog()
        return [try catalog.main.dataVersion(), try catalog.vectors?.dataVersion() ?? 0]
    }

    /// Lets the service catch up with what a search does not notice by itself, such as images that changed their chat.
    func synchronise() throws { try withState { $0.service }?.synchronise() }

    /// Whether the active space's model gives for the built-in pictures what it gave when the space was begun.
    ///
    /// - Returns: `nil` where there is nothing to compare with.
    func isModelTrue() throws -> Bool? {
        let catalog = try catalog()
        guard let vectors = catalog.vectors, let space = try vectors.activeSpace(),
            let known = try vectors.knownAnswers(of: space)
        else { return nil }
        guard let answers = try? encoder(of: space.space).answerKnownPictures() else { return false }
        return zip(known, answers).allSatisfy { $0.cosine(to: $1) >= Self.sameCosine }
    }

    private static let sameCosine: Float = 0.9999

    private func encoder(of space: EmbeddingSpace) throws -> ImageEncoder {
        try loaded(\.imageEncoder, isRight: { encoder, _ in encoder.space == space }) { _, _ in
            try sources.loadImageEncoder(space)
        }
    }

    /// The vector of a picture's bytes in a service's space.
    func embedding(ofPicture bytes: [UInt8], for service: SimilarityService) throws -> Embedding {
        let encoder = try encoder(of: service.space.space)
        let pixels: PixelImage
        do {
            pixels = try ImageDecoder.decode(bytes, shortSide: encoder.preprocessing.decodedShortSide)
        } catch {
            throw Problem(.unsupportedPicture, "The picture cannot be read: \(error).")
        }
        return try encoder.embed([encoder.preprocessing.tensor(of: pixels)])[0].get()
    }

    /// The vector of words in a service's space, and what its cosines mean among the pictures of a scope.
    package func words(_ text: String, _ scope: Scope, for service: SimilarityService) throws -> (Embedding, TextScale)
    {
        let encoder = try loaded(\.textEncoder, isRight: { encoder, _ in encoder.space == service.space.space }) {
            _,
            _ in
            try sources.loadTextEncoder(service.space.space)
        }
        let key = ScaleKey(space: service.space.id, scope: scope)
        let known = try withState { $0.scales[key] }
        if let known, ContinuousClock.now - known.at < Self.scaleLifetime {
            return (try encoder.embed(text), known.scale)
        }
        let background = try TextScale.texts.map { try encoder.embed($0) }
        let scale = try service.scale(background: background, scope)
        try withState { $0.scales[key] = (scale, .now) }
        return (try encoder.embed(text), scale)
    }

    private func withState<Value>(_ work: (inout Opened) throws -> Value) throws -> Value {
        try opened.withLock { opened in
            var state = try Self.refreshed(opened, sources)
            defer { opened = state }
            return try work(&state)
        }
    }

    private static func refreshed(_ opened: Opened?, _ sources: Sources) throws -> Opened {
        let files = sources.databases.map { FileIdentity(of: $0) }
        if let opened, opened.files == files, opened.catalog.vectors != nil || !files.isEmpty { return opened }
        let catalog = Catalog(main: try sources.openMain(), vectors: try sources.openVectors())
        return Opened(catalog: catalog, files: files)
    }
}
