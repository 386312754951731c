import GRDB

extension MainSchema {
    /// Reads the table definitions.
    init(_ db: Database) throws {
        var columns: [String: Set<String>] = [:]
        for table in Self.tables {
            let isTable = try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)",
                arguments: [table]
            )
            guard isTable == true else { continue }
            let names = try String.fetchAll(
                db,
                sql: "SELECT name FROM pragma_table_xinfo(?)",
                arguments: [table]
            )
            columns[table] = Set(names)
        }
        self.init(columns: columns)
    }
}
