import ArgumentParser
import Catalog
import EmbeddingModel
import ImageDecoding
import Similarity
import SystemPackage
import Vectors

/// `semblance similar`: what else looks like this.
struct SimilarCommand: SemblanceCommand {
    static let configuration = CommandConfiguration(
        commandName: "similar",
        abstract: "Find the images that look like an image of the library, or like a file.",
        discussion: """
            An image is named by its id in the bot's database and is compared with the images of its own owner; a file \
            is compared with all. Only images that are embedded are found: see semblance stats.
            """
    )

    @Argument(help: "An image's id, or a file.")
    var picture: String

    @Option(help: "user (the image's owner, or --user-id), chat (the image's own), or all.")
    var scope: Breadth?

    @Option(help: "Only this user's images (the Telegram id).")
    var userId: Int64?

    @Option(help: "The most images to find, 1 to \(SimilarityService.largestLimit).")
    var limit = SimilarityService.usualLimit

    @Option(parsing: .unconditional, help: "The least cosine, -1 to 1.")
    var threshold = SimilarityService.usualThreshold

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var locations: LocationOptions

    func validate() throws {
        guard 1...SimilarityService.largestLimit ~= limit else {
            throw ValidationError("--limit takes 1 to \(SimilarityService.largestLimit).")
        }
        guard -1...1 ~= threshold else { throw ValidationError("--threshold takes a number from -1 to 1.") }
        guard userId == nil || scope == nil || scope == .user else {
            throw ValidationError("--user-id goes with --scope user alone.")
        }
        guard scope != .chat || Int64(picture) != nil else {
            throw ValidationError("--scope chat is the chat of an image; a file has none.")
        }
    }

    func execute() throws -> ExitStatus {
        let settings = try locations.settings()
        let catalog = try Catalog(reading: settings, index: true)
        let space = try catalog.activeSpace(settings)
        let question = try question(catalog, space, settings)
        let search = StoredSearch(catalog, space: space, usesIndex: true)
        let hits = try SimilarityService(catalog, space: space, search: search).findSimilarImages(
            to: question.embedding,
            excluding: question.image?.id,
            scope: question.scope,
            limit: limit,
            threshold: threshold
        )
        let report = try SimilarReport(
            hits: hits,
            details: hits.map { try catalog.main.details(of: $0.image) },
            model: space.space.model,
            threshold: threshold
        )
        if json { Console.data(try report.json()) } else { report.lines.forEach(Console.data) }
        return .done
    }

    /// What is asked about, and among whose images.
    private struct Question {
        let embedding: Embedding
        var image: ImageRecord?
        let scope: Scope
    }

    /// A whole number is an image's id, whatever files there are; `./12` names a file.
    private func question(
        _ catalog: Catalog,
        _ space: StoredSpace,
        _ settings: Settings
    ) throws -> Question {
        if let id = Int64(picture) { return try question(about: id, catalog, space) }
        let encoder = try Engine.encoder(of: space.space, settings)
        let pixels: PixelImage
        do {
            pixels = try ImageDecoder.decode(
                PictureFile.read(settings.workingDirectory.pushing(FilePath(picture))),
                shortSide: encoder.preprocessing.decodedShortSide
            )
        } catch let error as CommandError {
            throw CommandError(error.status, "\(picture): \(error)")
        } catch {
            throw CommandError(.badData, "\(picture): \(error)")
        }
        guard let embedding = try encoder.embed([encoder.preprocessing.tensor(of: pixels)]).first?.get() else {
            throw CommandError(.badData, "\(picture) could not be embedded")
        }
        return Question(embedding: embedding, scope: userId.map { .user($0) } ?? .allUsers)
    }

    private func question(
        about id: Int64,
        _ catalog: Catalog,
        _ space: StoredSpace
    ) throws -> Question {
        guard let image = try catalog.main.images([id]).first else {
            throw CommandError(.missingFile, "There is no image \(id) in \(catalog.main.name)")
        }
        let owner = try catalog.owner(of: image)
        if let userId, owner != userId {
            throw CommandError(.missingFile, "The user \(userId) has no image \(id)")
        }
        guard let embedding = try catalog.embedding(of: id, in: space) else {
            throw CommandError(
                .unavailable,
                "Image \(id) has no embedding of \(space.space.model); run semblance generate --all-users, which says why if "
                    + "it cannot get one"
            )
        }
        return Question(embedding: embedding, image: image, scope: try scope(of: image, owner: owner))
    }

    private func scope(of image: ImageRecord, owner: Int64?) throws -> Scope {
        switch scope ?? .user {
        case .all: return .allUsers
        case .user:
            guard let owner else {
                throw CommandError(
                    .usage,
                    "Nobody is known to own image \(image.id); give --scope chat or --scope all"
                )
            }
            return .user(owner)
        case .chat:
            guard let chat = image.chatID else { throw CommandError(.usage, "Image \(image.id) is in no chat") }
            return .chat(chat)
        }
    }
}
