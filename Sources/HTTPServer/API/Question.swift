import Catalog
import Hummingbird
import Similarity

/// What a request asks, and who asks: everything checked before anything is looked up.
struct Question: Sendable {
    let caller: Access.Caller
    private(set) var limit: Int
    private(set) var threshold: Float
    private let identifier: String?
    private let breadth: String?
    private let user: Int64?
    let text: String?
    /// The size of a copy of a picture.
    let size: Thumbnails.Size
    /// The id before which pages of pictures go on.
    let before: Int64?

    /// - Throws: `.badRequest` where a parameter is not what it should be, `.forbidden` where it is not the caller's.
    init(_ request: Request, _ context: AnswerContext) throws {
        guard let caller = context.caller else { throw Problem(.unauthorized, "Send a key.") }
        self.caller = caller
        identifier = context.parameters.get("id")
        let parameters = request.uri.queryParameters
        limit = try Self.number(parameters["limit"], "limit", 1...100) ?? SimilarityService.usualLimit
        threshold = try Self.number(parameters["threshold"], "threshold", -1...1) ?? SimilarityService.usualThreshold
        user = try Self.number(parameters["user_id"], "user_id", 1...Int64.max)
        before = try Self.number(parameters["before"], "before", 1...Int64.max)
        guard let size = Thumbnails.Size(rawValue: parameters["size"].map(String.init) ?? "small") else {
            throw Problem(.badRequest, "size takes small or large.")
        }
        self.size = size
        breadth = parameters["scope"].map(String.init)
        text = parameters["q"].map(String.init)
        guard breadth.map({ ["user", "chat", "all"].contains($0) }) ?? true else {
            throw Problem(.badRequest, "scope takes user, chat or all.")
        }
        if case .user(let own) = caller, let user, user != own {
            throw Problem(.forbidden, "This key is for another user's images.")
        }
    }

    private static func number<Number: LosslessStringConvertible & Comparable>(
        _ text: Substring?,
        _ name: String,
        _ range: ClosedRange<Number>
    ) throws -> Number? {
        guard let text else { return nil }
        guard let number = Number(String(text)), range.contains(number) else {
            throw Problem(.badRequest, "\(name) takes a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// The id in the address.
    var id: Int64 {
        get throws {
            guard let id = identifier.flatMap({ Int64($0) }) else {
                throw Problem(.badRequest, "An id is a whole number.")
            }
            return id
        }
    }

    /// The same question for a page, which shows the nearest however far they are, each with its score.
    var forPage: Question {
        var question = self
        (question.limit, question.threshold) = (Self.pageLimit, 0)
        return question
    }

    private static let pageLimit = 18

    /// Insists on the owner, who alone may have something done.
    func requireOwner() throws {
        guard caller == .owner else { throw Problem(.forbidden, "That is for the owner's key.") }
    }

    /// The words that are searched for.
    func words() throws -> String {
        guard let text, text.contains(where: { !$0.isWhitespace }), text.unicodeScalars.count <= 300 else {
            throw Problem(.badRequest, "q takes some words, at most 300 characters.")
        }
        return text
    }

    /// Whose images are looked through where no image is asked about: the caller's, or those of a user that the owner names.
    func scope() -> Scope {
        if case .user(let own) = caller { return .user(own) }
        return user.map { .user($0) } ?? .allUsers
    }

    /// An image that the caller may see; to others it does not exist.
    func visibleImage(_ id: Int64, _ catalog: Catalog) throws -> ImageRecord {
        let nothing = Problem(.notFound, "There is no image \(id).")
        guard let image = try catalog.main.images([id]).first else { throw nothing }
        if case .user(let own) = caller, try catalog.owner(of: image) != own { throw nothing }
        return image
    }

    /// Whose images are looked through for one that is asked about: by default those of its owner.
    func scope(of image: ImageRecord, _ catalog: Catalog) throws -> Scope {
        switch (caller, breadth) {
        case (.owner, "all"): return user.map { .user($0) } ?? .allUsers
        case (_, "chat"):
            guard let chat = image.chatID else { throw Problem(.badRequest, "The image is in no chat.") }
            return .chat(chat)
        case (.user(let own), _): return .user(own)
        case (.owner, _):
            guard let owner = try user ?? catalog.owner(of: image) else {
                throw Problem(.badRequest, "Nobody is known to own the image; ask with scope=chat or scope=all.")
            }
            return .user(owner)
        }
    }
}
