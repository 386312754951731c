import FoundationEssentials
import GRDB

/// Values as they are found in a database that other programs write: of any type, with any bytes.
extension Row {
    /// The bytes of a BLOB or TEXT value; `nil` for NULL, numbers and empty values.
    func bytes(at index: Int) -> [UInt8]? {
        switch (self[index] as DatabaseValue).storage {
        case .blob(let data): Array(data)
        case .string(let text): Array(text.utf8)
        case .null, .int64, .double: nil
        }
    }
}

extension DatabaseValue {
    /// The value as text, whatever its type; bytes that are no UTF-8 are replaced.
    var text: String {
        switch storage {
        case .null: ""
        case .int64(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): text
        case .blob(let data): String(decoding: data, as: UTF8.self)
        }
    }
}
