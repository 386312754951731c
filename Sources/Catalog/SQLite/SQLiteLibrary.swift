import CSQLite

/// The SQLite that this program runs with.
package enum SQLiteLibrary {
    /// Its version, and what that means for shared WAL files.
    package static var description: String {
        let version = String(cString: sqlite3_libversion())
        let isRepaired = sqlite3_libversion_number() >= 3_051_003
        return "version \(version), "
            + (isRepaired ? "WAL-reset bug repaired" : "has the WAL-reset bug, worked around by guarded checkpoints")
    }
}
