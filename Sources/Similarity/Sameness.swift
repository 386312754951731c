package import Catalog

/// In which way pictures are the same.
package enum Sameness: String, Sendable, CaseIterable {
    /// Their files have the same bytes.
    case identical = "identical files"
    /// One picture, re-encoded, resized, or cut a little.
    case copies = "copies of one picture"
    /// Different pictures of a similar subject.
    case similar = "similar pictures"
}

/// Pictures that are the same in some way.
package struct SameGroup: Sendable {
    package let sameness: Sameness
    /// In the order of their ids; of identical files with copies, one stands for all.
    package let images: [ImageRecord]
    /// The bytes of each image's file, where they are known.
    package let byteCounts: [Int?]
    /// The bytes that deleting all files but the largest would free; a file that two images share counts once.
    package let bytesFreed: Int
}
