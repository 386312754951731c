import FoundationEssentials

/// Numbers in words.
enum Counts {
    /// " (corrupt 2, too large 1)", what there is most of first; nothing where there is nothing.
    static func parenthesised<Key: RawRepresentable<String>>(_ counts: [Key: Int]) -> String {
        let parts = counts.filter { $0.value > 0 }
            .sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.key.rawValue) \($0.value)" }
        return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    }

    /// Counts under names that JSON likes.
    static func named<Key: RawRepresentable<String>>(_ counts: [Key: Int]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue.replacing(" ", with: "_"), $0.value) })
    }

    /// To one digit behind the point.
    static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    /// To three digits behind the point.
    static func thousandths(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    /// "1 image", "12 images".
    static func images(_ count: Int) -> String { count == 1 ? "1 image" : "\(count) images" }

    /// Bytes as megabytes, "605.2".
    static func megabytes(_ bytes: Int) -> String { decimal(Double(bytes) / 1e6) }

    /// "512 bytes", "3.4 kB", "605.2 MB".
    static func bytes(_ count: Int) -> String {
        switch count {
        case ..<1000: count == 1 ? "1 byte" : "\(count) bytes"
        case ..<1_000_000: "\(decimal(Double(count) / 1000)) kB"
        default: "\(megabytes(count)) MB"
        }
    }

    /// One digit behind the point, whatever the locale.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// "45 s", "3 min 20 s", "2 h 5 min".
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
