/// The bot's database, which its own program keeps reading and writing while we work.
///
/// Semblance writes the values of `images.embedding` and `images.embedding_model` there and nothing else. All reads are
/// short: a page of rows, or some rows by their ids.
package protocol MainDatabase: Sendable {
    /// What messages call it: a file, or a server and a database.
    var name: String { get }

    /// The images after an id, in the order of their ids.
    ///
    /// - Parameter chats: The internal ids of the chats whose images are wanted; `nil` for all.
    func images(inChats chats: [Int64]?, after id: Int64, count: Int) throws(CatalogError) -> [ImageRecord]

    /// The images of these ids that are there, in the order of their ids.
    func images(_ ids: [Int64]) throws(CatalogError) -> [ImageRecord]

    /// The completed images with the highest ids below one, the highest first.
    func newestImages(before id: Int64, count: Int, chats: [Int64]?) throws(CatalogError) -> [ImageRecord]

    /// How many completed images there are in some chats, or in all, up to an id.
    func completedCount(to last: Int64, chats: [Int64]?) throws(CatalogError) -> Int

    /// The id before which the page of images lies that ends just above one.
    func pageStart(above id: Int64, length: Int, chats: [Int64]?) throws(CatalogError) -> Int64

    /// The ids of the completed images of some chats.
    func completedImages(inChats chats: [Int64]) throws(CatalogError) -> [Int64]

    /// Telegram's names of the files of images that are there, by the images' ids.
    func uniqueIDs(of images: [Int64]) throws(CatalogError) -> [Int64: String]

    /// The chats of some images.
    func chats(ofImages images: [Int64]) throws(CatalogError) -> [Int64: Int64]

    /// Which person each chat belongs to; `nil` where the database has no chats or users, unless they are required.
    func owners(required: Bool) throws(CatalogError) -> Owners?

    /// A chat's internal id.
    func chat(telegramID: Int64) throws(CatalogError) -> Int64?

    /// When the bot got an image and what its chat is called, as far as the database says.
    func details(of image: ImageRecord) throws(CatalogError) -> ImageDetails

    /// How many rows a table has; `nil` where there is no such table.
    func count(_ table: String) throws(CatalogError) -> Int?

    /// A number that changes whenever somebody else has written.
    func dataVersion() throws(CatalogError) -> Int
}

/// What a person wants to know about a hit.
package struct ImageDetails: Sendable, Equatable {
    /// As the bot wrote it: UTC, `YYYY-MM-DD HH:MM:SS`.
    package let createdAt: String?
    /// The chat's Telegram id.
    package let chatID: Int64?
    package let chatTitle: String?
}
