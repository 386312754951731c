/// Why an image has no vector: a recorded fact that later runs act on.
package struct FailureRecord: Sendable, Equatable {
    /// What kind of reason it is.
    package enum Class: String, Sendable, CaseIterable, Codable {
        /// No file is where the row says.
        case missing
        /// The file is there and cannot be read.
        case unreadable
        /// A format that is not read.
        case unsupported
        /// More bytes or pixels than are read.
        case tooLarge = "too large"
        /// The bytes are no whole picture.
        case corrupt
        /// The model gave no vector for it.
        case model
        /// Programs have ended time and again while they worked on it.
        case abandoned
    }

    package let imageID: Int64
    package let fileUniqueID: String
    package let kind: Class
    /// The state of the file that failed; `nil` where there was none.
    package let fingerprint: String?
    /// How often it was tried.
    package let attempts: Int
    /// When it may be tried again, in seconds since 1970; `nil` where only a change of the file can help.
    package let nextAttempt: Double?
    /// The reason in words.
    package let message: String

    package init(
        imageID: Int64,
        fileUniqueID: String,
        kind: Class,
        fingerprint: String?,
        attempts: Int,
        nextAttempt: Double?,
        message: String
    ) {
        self.imageID = imageID
        self.fileUniqueID = fileUniqueID
        self.kind = kind
        self.fingerprint = fingerprint
        self.attempts = attempts
        self.nextAttempt = nextAttempt
        self.message = message
    }
}
