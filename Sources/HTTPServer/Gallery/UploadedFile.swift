/// The one file of a form that a browser sends as `multipart/form-data` (RFC 7578).
struct UploadedFile {
    let bytes: [UInt8]

    /// - Returns: `nil` where there is no file, or the form is cut off.
    init?(_ body: some Collection<UInt8>, contentType: String?) {
        guard let contentType, contentType.hasPrefix("multipart/form-data"),
            let start = contentType.firstRange(of: "boundary=")
        else { return nil }
        let boundary = contentType[start.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" }
        guard !boundary.isEmpty, boundary.utf8.count <= 70 else { return nil }
        let body = Array(body)
        guard let head = Self.find(Array("filename=".utf8), in: body[...]),
            let gap = Self.find(Array("\r\n\r\n".utf8), in: body[head.upperBound...]),
            let end = Self.find(Array("\r\n--\(boundary)".utf8), in: body[gap.upperBound...])
        else { return nil }
        bytes = Array(body[gap.upperBound..<end.lowerBound])
    }

    private static func find(_ pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        var start = bytes.startIndex
        while let first = bytes[start...].firstIndex(of: pattern[0]) {
            if bytes[first...].starts(with: pattern) { return first..<(first + pattern.count) }
            start = first + 1
        }
        return nil
    }
}
