/// The one way in which cosines are computed, so that every search gives the same numbers to the bit.
enum DotProduct {
    /// The sum of products in four independent runs of eight lanes, so that the processor need not wait for a sum.
    static func of(_ left: UnsafeBufferPointer<Float>, _ right: UnsafeBufferPointer<Float>) -> Float {
        guard let a = left.baseAddress, let b = right.baseAddress else { return 0 }
        let (first, second) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        var sums = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
        let whole = left.count & ~31
        var byte = 0
        while byte < whole * 4 {
            sums.0 += load(first, byte) * load(second, byte)
            sums.1 += load(first, byte + 32) * load(second, byte + 32)
            sums.2 += load(first, byte + 64) * load(second, byte + 64)
            sums.3 += load(first, byte + 96) * load(second, byte + 96)
            byte += 128
        }
        var rest: Float = 0
        for index in whole..<left.count { rest += left[index] * right[index] }
        return ((sums.0 + sums.1) + (sums.2 + sums.3)).sum() + rest
    }

    private static func load(_ pointer: UnsafeRawPointer, _ byte: Int) -> SIMD8<Float> {
        pointer.loadUnaligned(fromByteOffset: byte, as: SIMD8<Float>.self)
    }
}
