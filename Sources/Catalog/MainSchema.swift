/// Which of the bot's tables and columns a database has; bots of other ages have more or fewer.
struct MainSchema: Sendable {
    private let columns: [String: Set<String>]

    /// The columns that may name an image's file, in the order of preference.
    var pathColumns: [String] {
        ["compressed_path", "original_path", "file_path"].filter { has($0, in: "images") }
    }

    /// - Parameter columns: The columns of each table that is there.
    init(columns: [String: Set<String>]) { self.columns = columns }

    /// The tables that are looked at.
    static let tables = ["users", "chats", "images"]

    func has(_ column: String, in table: String) -> Bool { columns[table]?.contains(column) ?? false }

    /// Insists on a table's columns.
    ///
    /// - Throws: `.schema`, naming the first that is missing.
    func require(_ names: [String], in table: String, file: String) throws(CatalogError) {
        guard columns[table] != nil else {
            throw CatalogError(.schema, "\(file) has no table \(table); is it the bot's database?")
        }
        for name in names where !has(name, in: table) {
            throw CatalogError(.schema, "\(file): the table \(table) has no column \(name), which is needed")
        }
    }

    /// What every command that looks at images needs.
    func requireImages(file: String) throws(CatalogError) {
        let needed = ["id", "file_unique_id", "processing_status", "embedding", "embedding_model"]
        try require(needed, in: "images", file: file)
        guard !pathColumns.isEmpty else {
            throw CatalogError(
                .schema,
                "\(file): the table images has none of the columns compressed_path, original_path and file_path"
            )
        }
    }

    /// What is needed to say whom an image belongs to.
    func requireOwners(file: String) throws(CatalogError) {
        try require(["id", "user_id"], in: "users", file: file)
        try require(["id", "chat_id", "user_id"], in: "chats", file: file)
    }
}
