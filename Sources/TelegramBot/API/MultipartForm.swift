import Foundation
import NIOCore

/// A form with files, as browsers send it.
struct MultipartForm: Sendable {
    private let boundary = "semblance-\(UUID().uuidString)"
    private var content = ByteBuffer()

    /// The form with its end.
    var body: ByteBuffer {
        var whole = content
        whole.writeString("--\(boundary)--\r\n")
        return whole
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// Adds a value, as JSON where it is no string.
    mutating func add(_ name: String, _ value: String) {
        content.writeString("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n")
    }

    /// Adds a JPEG.
    mutating func add(_ name: String, jpeg: [UInt8]) {
        content.writeString(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(name).jpg\"\r\n"
        )
        content.writeString("Content-Type: image/jpeg\r\n\r\n")
        content.writeBytes(jpeg)
        content.writeString("\r\n")
    }
}
