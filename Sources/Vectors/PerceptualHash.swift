/// What a picture looks like, roughly: 64 bits that a re-encoded, resized or slightly cropped copy nearly shares.
package struct PerceptualHash: Sendable, Hashable {
    package let bits: UInt64

    package init(bits: UInt64) { self.bits = bits }

    /// In how many bits two hashes differ, 0…64; 32 on average for pictures that have nothing to do with each other.
    package func distance(to other: PerceptualHash) -> Int { (bits ^ other.bits).nonzeroBitCount }
}
