import Vectors

/// A query in 12-bit whole numbers, for the first pass of a search.
struct QuantizedQuery {
    /// The numbers, padded with zeros to the rows' length.
    let numbers: [Int16]
    /// What a number stands for.
    let scale: Float
    /// The length of what the rounding lost.
    let error: Float

    /// Twelve bits keep the sum of 16,384 products with 8-bit numbers within 32 bits.
    private static let largest: Float = 2047

    init(numbers: [Int16], scale: Float, error: Float) {
        self.numbers = numbers
        self.scale = scale
        self.error = error
    }

    init(_ embedding: Embedding, length: Int) {
        let components = embedding.components
        let scale = max(components.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude) / Self.largest
        var numbers = [Int16](repeating: 0, count: length)
        var squares: Float = 0
        for (index, component) in components.enumerated() {
            let number = (component / scale).rounded()
            numbers[index] = Int16(number)
            let rest = component - number * scale
            squares += rest * rest
        }
        self.numbers = numbers
        self.scale = scale
        error = squares.squareRoot()
    }
}
