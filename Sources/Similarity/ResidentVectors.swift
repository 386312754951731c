package import Catalog
import Synchronization
package import Vectors

/// A space in memory, for a program that stays and answers many questions.
///
/// The first pass runs over 8-bit copies of the vectors; the few that may be among the best are read exactly from our
/// database, so that the answers are those of a scan of all. A million vectors of 512 components take 0.6 GB. New vectors
/// are taken up before each search. Which chat an image is in is looked up when its vector is taken up, and again by
/// `synchronise`: until then an image that was moved is missing in its new chat, and is shown nowhere it may not be, since
/// every hit is checked against the bot's row.
package final class ResidentVectors: NearestSearch {
    private let catalog: Catalog
    private let space: StoredSpace
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var vectors: QuantizedVectors
        /// The rows of each chat's images.
        var rows: [Int64: [Int32]] = [:]
        /// Up to where vectors were taken up.
        var mark = StreamMark()
    }

    /// Reads the space.
    package init(_ catalog: Catalog, space: StoredSpace) throws {
        self.catalog = catalog
        self.space = space
        state = Mutex(State(vectors: QuantizedVectors(dimension: space.space.dimension)))
        try state.withLock { try refresh(&$0) }
    }

    /// How many vectors are held.
    package var count: Int { state.withLock { $0.vectors.ids.count { $0 != QuantizedVectors.removed } } }

    /// Reads everything anew: vectors that were removed go, and each image is found in the chat that it is in now.
    package func synchronise() throws {
        try state.withLock { state in
            state = State(vectors: QuantizedVectors(dimension: space.space.dimension))
            try refresh(&state)
        }
    }

    package func ranking(_ scope: Scope) throws -> (Embedding, Int) throws -> [TopMatches.Match] {
        let chats = try catalog.chats(of: scope)
        return { [self] query, limit in
            try state.withLock { state in
                try refresh(&state)
                let rows = chats.map { chats in chats.flatMap { state.rows[$0] ?? [] } }
                while true {
                    let candidates = state.vectors.candidates(for: query, limit: limit, rows: rows)
                    let (best, gone) = try rank(candidates, query, limit)
                    guard !gone.isEmpty else { return best }
                    state.vectors.remove(gone)
                }
            }
        }
    }

    /// Computes cosines exactly, the most promising first, until no other vector can be among the best.
    ///
    /// - Returns: The best, and the images that have no vector any more.
    private func rank(
        _ candidates: [QuantizedVectors.Candidate],
        _ query: Embedding,
        _ limit: Int
    ) throws -> (best: [TopMatches.Match], gone: Set<Int64>) {
        var best = TopMatches(limit: limit)
        var gone: Set<Int64> = []
        var next = 0
        while next < candidates.count, candidates[next].highest >= best.bar {
            let page = candidates[next..<min(next + max(2 * limit, 32), candidates.count)].map(\.id)
            next += page.count
            gone.formUnion(page)
            for (image, blob) in try catalog.vectors?.embeddings(of: page, in: space) ?? [] {
                guard case .embedding(let embedding) = EmbeddingBlob.read(blob), embedding.dimension == query.dimension
                else {
                    continue
                }
                best.offer(.init(id: image, score: query.cosine(to: embedding)))
                gone.remove(image)
            }
        }
        return (best.sorted, gone)
    }

    /// Takes up what was stored since the last look.
    private func refresh(_ state: inout State) throws {
        guard let source = catalog.vectors else { return }
        while true {
            let (page, mark) = try source.vectors(of: space, after: state.mark, count: Self.pageSize)
            let isLast = page.count < Self.pageSize || mark == state.mark
            state.mark = mark
            let chats = try catalog.main.chats(ofImages: page.map(\.imageID))
            if state.vectors.count > 0 { state.vectors.remove(Set(page.map(\.imageID))) }
            for vector in page where vector.components.count == 4 * space.space.dimension {
                let row = vector.components.withUnsafeBytes { bytes in
                    bytes.withMemoryRebound(to: Float.self) { state.vectors.append(vector.imageID, $0) }
                }
                state.rows[chats[vector.imageID] ?? Self.nowhere, default: []].append(Int32(row))
            }
            if isLast { return }
        }
    }

    private static let pageSize = 2000

    /// Stands for the chat of images that are in none.
    private static let nowhere = Int64.min
}
