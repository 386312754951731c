import ArgumentParser
import Catalog
import Foundation
import PostgreSQL
import Vectors

/// One of any number of programs that claim images at a server and store a vector of each: all that `generate` does there,
/// with an encoder that costs nothing.
struct ServerWorker: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "server-worker")

    @Option(help: "The database's address.")
    var address: String

    @Option(help: "Components of a vector.")
    var dimension = 512

    @Option(help: "Images of a transaction.")
    var batchSize = 128

    @Option(help: "Milliseconds to wait before each transaction, as a model would take.")
    var pause: UInt32 = 0

    @Option(help: "Images at which the program dies.")
    var poison: [Int64] = []

    private struct Outcome: Encodable {
        var stored = 0
        var lost = 0
        var seconds = 0.0
    }

    func run() throws {
        let server = PostgresServer(try PostgresAddress(address), patience: .seconds(120))
        let main = try PostgresMainDatabase(server)
        let vectors = try PostgresVectorDatabase(server)
        let store = try PostgresVectorStore(
            server,
            main: main,
            vectors: vectors,
            space: ServerLibrary.space(dimension),
            worker: "bench:\(getpid())"
        )
        let catalog = Catalog(main: main, vectors: vectors)
        var outcome = Outcome()
        let start = ContinuousClock.now
        while let queue = store.queue {
            switch try queue.claim() {
            case .over, .unplanned:
                try store.finish()
                outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
                print(String(decoding: try JSONEncoder().encode(outcome), as: UTF8.self))
                return
            case .wait: usleep(.random(in: 500_000...1_000_000))
            case .images(let ids):
                let images = try catalog.survey(ids, model: "bench", space: store.space)
                    .filter { $0.condition == .pending }.map(\.image)
                try queue.drop(Array(Set(ids).subtracting(images.map(\.id))))
                for start in stride(from: 0, to: images.count, by: batchSize) {
                    let batch = images[start..<min(start + batchSize, images.count)]
                    if batch.contains(where: { poison.contains($0.id) }) { abort() }
                    usleep(pause * 1000)
                    let lost = try store.store(batch.map(vector), failures: [])
                    outcome.stored += batch.count - lost.count
                    outcome.lost += lost.count
                }
            }
        }
    }

    private func vector(_ image: ImageRecord) throws -> NewVector {
        var numbers = [Float](repeating: 0.01, count: dimension)
        numbers[Int(image.id) % dimension] = 1
        numbers[Int(image.id) / dimension % dimension] += 0.5
        let source = SourceFile(
            fingerprint: "f",
            digest: [UInt8](repeating: UInt8(image.id & 0xFF), count: 32),
            byteCount: 1,
            perceptualHash: PerceptualHash(bits: UInt64(image.id))
        )
        return NewVector(image: image, embedding: try Embedding(normalizing: numbers), source: source, origin: .new)
    }
}
