package import Catalog
package import Vectors

/// What a cosine between a text and a picture means in a library.
///
/// Texts and pictures lie far apart in CLIP's space: a good hit has a cosine near 0.3, and 0.2 is nothing. Where the line
/// runs depends on the weights and, because the best of many chance hits is higher than that of few, on how many pictures
/// there are. So it is measured on the library itself, with a fixed set of texts that no picture shows: the best cosine of
/// each is what chance alone reaches.
package struct TextScale: Sendable, Equatable {
    /// How sure a hit is.
    package enum Grade: String, Sendable, CaseIterable {
        case strong, likely, weak
    }

    /// What the best hit of a text that nothing shows has on average.
    package let mean: Float
    /// The standard deviation of these best cosines.
    package let deviation: Float

    /// Measures it.
    ///
    /// - Parameters:
    ///   - background: The embeddings of `texts`.
    ///   - search: How the pictures are searched.
    ///   - scope: Whose.
    package init(background: [Embedding], _ search: some NearestSearch, _ scope: Scope) throws {
        let rank = try search.ranking(scope)
        self.init(best: try background.compactMap { try rank($0, 1).first.map { Double($0.score) } })
    }

    /// - Parameter best: The best cosine of each text that nothing shows.
    init(best: [Double]) {
        let mean = best.isEmpty ? 1 : best.reduce(0, +) / Double(best.count)
        let squares = best.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.mean = Float(mean)
        deviation = Float((squares / Double(max(best.count - 1, 1))).squareRoot())
    }

    /// The least cosine of a grade.
    package func least(_ grade: Grade) -> Float {
        switch grade {
        case .weak: mean + 1.5 * deviation
        case .likely: mean + 2.5 * deviation
        case .strong: mean + 4 * deviation
        }
    }

    /// The grade of a cosine; `nil` where chance explains it.
    package func grade(of cosine: Float) -> Grade? {
        Grade.allCases.first { cosine >= least($0) }
    }

    /// Texts that no picture shows: words for what cannot be seen, in the forms in which people search.
    package static let texts = [
        "the cube root of a negative number", "a clause about liability", "the year before last",
        "an opinion that nobody shares", "the second law of thermodynamics", "grammar of an extinct language",
        "a promise not kept", "the average of seven prices", "whether or not it matters", "an unpaid invoice number",
        "the pronunciation of a vowel", "patience", "a rumour about inflation", "the square of the distance",
        "terms and conditions apply", "a reason for doubt", "the sum of all divisors", "yesterday's exchange rate",
        "an unexpected consequence", "a tautology", "the smell of rain", "absolute silence", "the meaning of a proverb",
        "a password that expired", "the speed of sound in helium", "a majority of two thirds", "the plural of a noun",
        "an apology in advance", "a conflict of interest", "the half-life of an isotope", "justice delayed",
        "a draft of a regulation",
    ]
}

extension SimilarityService {
    /// What a cosine of words means among the pictures of a scope.
    package func scale(background: [Embedding], _ scope: Scope) throws -> TextScale {
        try TextScale(background: background, search, scope)
    }

    /// The pictures that a text describes, nearest first; none where chance explains the best of them.
    package func searchByText(
        _ query: Embedding,
        scale: TextScale,
        scope: Scope,
        limit: Int = usualLimit
    ) throws -> [(hit: Hit, grade: TextScale.Grade)] {
        try findSimilarImages(to: query, scope: scope, limit: limit, threshold: scale.least(.weak))
            .compactMap { hit in scale.grade(of: hit.cosine).map { (hit, $0) } }
    }
}
