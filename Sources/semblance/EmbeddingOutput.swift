import FoundationEssentials
import Vectors

/// Where `embed` puts its answers: JSON lines on stdout, or one NumPy file.
struct EmbeddingOutput {
    private let npy: String?
    private var rows: [Embedding?] = []
    private var hasFailed = false

    /// - Parameter npy: The file for the vectors; `nil` prints them.
    init(npy: String?) { self.npy = npy }

    /// One answer: the vector of a file or a text, or why there is none.
    struct Answer: Encodable {
        var file: String?
        var text: String?
        var embedding: [Float]?
        var error: String?
        fileprivate let result: Embedding?

        private enum CodingKeys: CodingKey {
            case file, text, embedding, error
        }

        init(file: String? = nil, text: String? = nil, result: Result<Embedding, any Error>) {
            self.file = file
            self.text = text
            self.result = try? result.get()
            embedding = self.result?.components
            if case .failure(let failure) = result { error = "\(failure)" }
        }
    }

    /// Takes the next answer.
    mutating func write(_ answer: Answer) throws {
        hasFailed = hasFailed || answer.error != nil
        guard npy != nil else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            Console.data(String(decoding: try encoder.encode(answer), as: UTF8.self))
            return
        }
        rows.append(answer.result)
        if let error = answer.error { Console.say("\(answer.file ?? answer.text ?? ""): \(error)") }
    }

    /// Writes the file, where there is one.
    ///
    /// - Returns: Whether any answer was an error.
    func finish() throws -> Bool {
        guard let npy else { return hasFailed }
        do {
            try NumPyArray(rows: rows).data.write(to: URL(filePath: npy), options: .atomic)
        } catch {
            throw CommandError(.cannotWrite, "\(npy) cannot be written")
        }
        return hasFailed
    }
}
