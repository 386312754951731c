import Catalog
import FoundationEssentials
import Similarity
import SystemPackage

/// What `similar` prints: a line or two for each hit, within 80 columns but for the path, or JSON.
struct SimilarReport: Encodable {
    let hits: [SimilarityService.Hit]
    let details: [ImageDetails]
    let model: String
    /// The least cosine that was looked for.
    let threshold: Float
    /// How sure each hit is, where the question was a text.
    var grades: [TextScale.Grade]?

    private struct Line: Encodable {
        let image_id: Int64
        let similarity: Double
        let grade: String?
        let path: String?
        let created_at: String?
        let chat_id: Int64?
        let chat_title: String?
    }

    private enum CodingKeys: CodingKey {
        case model, threshold, similar
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(model, forKey: .model)
        try values.encode(Self.rounded(threshold), forKey: .threshold)
        try values.encode(
            zip(zip(hits, details), labels).map { found, grade in
                let (hit, details) = found
                return Line(
                    image_id: hit.image.id,
                    similarity: Self.rounded(hit.cosine),
                    grade: grade,
                    path: hit.image.paths.first?.string,
                    created_at: details.createdAt,
                    chat_id: details.chatID,
                    chat_title: details.chatTitle
                )
            },
            forKey: .similar
        )
    }

    /// The lines for people.
    var lines: [String] {
        guard !hits.isEmpty else {
            return [
                grades == nil
                    ? "No similar images found: nothing has a cosine of \(threshold) or more."
                    : "Nothing similar: no image is nearer to these words than chance brings some."
            ]
        }
        return zip(zip(hits, details), labels).map { found, grade in
            let (hit, details) = found
            let percent = Counts.decimal(Double(max(hit.cosine, 0)) * 100)
            let chat = details.chatTitle ?? details.chatID.map { "chat \($0)" } ?? ""
            let facts = [
                grade ?? "", "image \(hit.image.id)", details.createdAt.map { String($0.prefix(16)) } ?? "",
                String(chat.prefix(30)),
            ]
            let head =
                "\(String(repeating: " ", count: max(5 - percent.count, 0)))\(percent)%  "
                + facts.filter { !$0.isEmpty }.joined(separator: ", ")
            let path = hit.image.paths.first.map { "\n        " + Console.oneLine("\($0)") } ?? ""
            return Console.oneLine(head) + path
        }
    }

    private var labels: [String?] { grades?.map(\.rawValue) ?? hits.map { _ in nil } }

    /// To four digits behind the point.
    private static func rounded(_ value: Float) -> Double { (Double(value) * 10_000).rounded() / 10_000 }
}
