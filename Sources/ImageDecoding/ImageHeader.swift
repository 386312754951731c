/// What a picture's file says about it before any pixel is decoded.
package struct ImageHeader: Sendable, Equatable {
    package let format: ImageFormat
    /// Pixels in a row as stored, before the orientation is applied.
    package let width: Int
    /// Rows as stored, before the orientation is applied.
    package let height: Int
}
