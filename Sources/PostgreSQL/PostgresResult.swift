import CLibPQ

/// What a statement gave: rows of values in binary format.
package final class PostgresResult {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    /// What the server says went wrong; `nil` where nothing did.
    var error: PostgresError? {
        guard ![PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(PQresultStatus(result)) else { return nil }
        let field = { (code: Character) -> String in
            PQresultErrorField(self.result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) } ?? ""
        }
        let state = field("C")
        guard !state.isEmpty else { return PostgresError(.unreachable, "the connection to the server was lost") }
        return PostgresError(state: state, message: field("M"))
    }

    /// How many rows there are.
    package var count: Int { Int(PQntuples(result)) }
    /// How many rows were inserted, updated or deleted.
    package var changes: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }
    /// The rows.
    package var rows: [Row] { (0..<count).map { Row(result: self, index: Int32($0)) } }

    /// One row.
    package struct Row {
        fileprivate let result: PostgresResult
        fileprivate let index: Int32

        /// The bytes of a column; `nil` for NULL.
        package func bytes(_ column: Int) -> [UInt8]? { withBytes(column) { Array($0) } }

        /// Lends the bytes of a column; not called for NULL.
        package func withBytes<Value>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Value) rethrows
            -> Value?
        {
            let column = Int32(column)
            guard PQgetisnull(result.result, index, column) == 0 else { return nil }
            let count = Int(PQgetlength(result.result, index, column))
            return try body(UnsafeRawBufferPointer(start: PQgetvalue(result.result, index, column), count: count))
        }

        /// An integer of any width; `nil` for NULL.
        package func int64(_ column: Int) -> Int64? {
            withBytes(column) { bytes in
                let value = bytes.reduce(UInt64(bytes.first ?? 0) >= 0x80 ? .max : 0) { $0 << 8 | UInt64($1) }
                return Int64(bitPattern: value)
            }
        }

        /// A text; `nil` for NULL.
        package func text(_ column: Int) -> String? { withBytes(column) { String(decoding: $0, as: UTF8.self) } }

        /// Whether a truth value is true.
        package func bool(_ column: Int) -> Bool { bytes(column) == [1] }

        /// A 64-bit float; `nil` for NULL.
        package func double(_ column: Int) -> Double? {
            int64(column).map { Double(bitPattern: UInt64(bitPattern: $0)) }
        }

        /// The components of a `vector` as they lie in memory, four bytes each, little-endian; `nil` for NULL.
        package func vector(_ column: Int) -> [UInt8]? {
            withBytes(column) { bytes in
                var components = [UInt8](repeating: 0, count: max(bytes.count - 4, 0))
                for start in stride(from: 0, to: components.count - 3, by: 4) {
                    for byte in 0..<4 { components[start + byte] = bytes[4 + start + 3 - byte] }
                }
                return components
            }
        }
    }
}
