import GRDB

/// Why a database could not be used.
package struct CatalogError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is, which decides the exit status.
    package struct Code: Sendable, Hashable {
        private enum Value {
            case missing, corrupt, schema, locked, cannotWrite, unfinished, unknownUser, unsupported, interrupted
            case unavailable, notPermitted
        }
        private let value: Value

        /// The database file is not there.
        package static let missing = Code(value: .missing)
        /// The file is damaged, or no database.
        package static let corrupt = Code(value: .corrupt)
        /// A table or column that is needed is not there.
        package static let schema = Code(value: .schema)
        /// Another program holds the lock, or another backfill runs.
        package static let locked = Code(value: .locked)
        /// A program died in the middle of a write, which the next writer puts right.
        package static let unfinished = Code(value: .unfinished)
        /// The disk is full, read-only or failing.
        package static let cannotWrite = Code(value: .cannotWrite)
        /// The database has no such user.
        package static let unknownUser = Code(value: .unknownUser)
        /// The database's server cannot be reached.
        package static let unavailable = Code(value: .unavailable)
        /// The database's server does not let this program in, or not do that.
        package static let notPermitted = Code(value: .notPermitted)
        /// The work was broken off on purpose.
        static let interrupted = Code(value: .interrupted)
        /// The address names a database of another kind.
        package static let unsupported = Code(value: .unsupported)
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Says what an error of SQLite means for a file, without SQL and values.
    init(_ error: any Error, file: String) {
        if let error = error as? CatalogError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.corrupt, "\(file): \(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            self.init(
                .corrupt,
                "\(file) is damaged or no SQLite database; nothing was changed. Restore a "
                    + "backup of it; semblance stats --salvage counts what can be read"
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.locked, "\(file) is locked by another program; try again when it has finished writing")
        case .SQLITE_INTERRUPT:
            self.init(.interrupted, "\(file): the work was broken off")
        case .SQLITE_FULL:
            self.init(.cannotWrite, "\(file) cannot be written: the disk is full. Free some space and run again")
        case .SQLITE_READONLY where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK:
            self.init(
                .unfinished,
                "\(file) was left in the middle of a write by a program that died; its next writer (your bot, or "
                    + "semblance generate) puts it right"
            )
        case .SQLITE_READONLY, .SQLITE_PERM:
            self.init(.cannotWrite, "\(file) cannot be written: the file or its folder is read-only")
        case .SQLITE_IOERR:
            self.init(.cannotWrite, "\(file) cannot be read or written: the disk reports an error, or is full")
        case .SQLITE_CANTOPEN:
            self.init(.cannotWrite, "\(file) cannot be opened: check that the file and its folder are accessible")
        default:
            self.init(.schema, "\(file): \(error.message ?? "SQLite error \(error.resultCode.rawValue)")")
        }
    }

    /// Runs a piece of work on a file and gives every error a description that names the file.
    static func naming<Result>(_ file: String, _ work: () throws -> Result) throws(CatalogError) -> Result {
        do {
            return try work()
        } catch {
            throw CatalogError(error, file: file)
        }
    }
}
