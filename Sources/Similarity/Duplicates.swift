package import Catalog
import Dispatch
import Synchronization
import Vectors

extension SimilarityService {
    /// How many bits the hashes of copies of one picture differ by at most.
    static let copyDistance = 10
    /// The least cosine of copies of one picture: pictures with little in them can have like hashes by chance.
    static let copyCosine: Float = 0.9
    /// Cosine from which on pictures are of a similar subject, unless somebody says otherwise.
    package static let usualClusterThreshold: Float = 0.9

    /// Pictures that are the same, by kind and with the largest groups first; deletes nothing.
    ///
    /// Each kind is looked for among one picture of each group of the kinds before it. The first two take seconds for a
    /// hundred thousand pictures, the last about a minute.
    ///
    /// - Parameter progress: Gets how many of the pictures have been compared.
    package func findDuplicates(
        scope: Scope,
        kinds: Set<Sameness> = Set(Sameness.allCases),
        threshold: Float = usualClusterThreshold,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [SameGroup] {
        let library = try PictureLibrary(catalog, space: space, scope)
        var groups: [SameGroup] = []
        let identical = library.identicalFiles()
        if kinds.contains(.identical) { groups += sorted(identical.map { library.group($0, .identical) }) }
        let different = library.representatives(of: identical, among: Array(library.pictures.indices))
        guard kinds.contains(.copies) || kinds.contains(.similar) else { return groups }
        let copies = library.copies(among: different)
        if kinds.contains(.copies) { groups += sorted(copies.map { library.group($0, .copies) }) }
        guard kinds.contains(.similar) else { return groups }
        let rest = library.representatives(of: copies, among: different)
        let clusters = library.clusters(among: rest, threshold: threshold, progress)
        return groups + sorted(clusters.map { library.group($0, .similar) })
    }

    /// Groups of pictures around a first one, to which each of the others has at least a cosine; the largest first.
    ///
    /// Going by ids, a picture that is in no group yet begins one and takes all later ones that are near enough.
    package func clusterBySimilarity(
        scope: Scope,
        threshold: Float = usualClusterThreshold,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [SameGroup] {
        let library = try PictureLibrary(catalog, space: space, scope)
        let all = Array(library.pictures.indices)
        let clusters = library.clusters(among: all, threshold: threshold, progress)
        return sorted(clusters.map { library.group($0, .similar) })
    }

    private func sorted(_ groups: [SameGroup]) -> [SameGroup] {
        groups.sorted { left, right in
            (right.images.count, right.bytesFreed, left.images[0].id)
                < (left.images.count, left.bytesFreed, right.images[0].id)
        }
    }
}

/// The pictures of a scope with their vectors, for comparing all with all.
private struct PictureLibrary {
    let pictures: [PictureRecord]
    private let images: [Int64: ImageRecord]
    private let vectors: VectorMatrix
    /// The row of each picture's vector.
    private let rows: [Int]

    init(_ catalog: Catalog, space: StoredSpace, _ scope: Scope) throws {
        vectors = try catalog.searchableVectors(in: space, scope)
        var pictures: [PictureRecord] = []
        var images: [Int64: ImageRecord] = [:]
        for start in stride(from: 0, to: vectors.count, by: 500) {
            let ids = Array(vectors.ids[start..<min(start + 500, vectors.count)])
            let confirmed = try catalog.confirmed(ids, in: space, scope)
            let found = try catalog.vectors?.pictures(of: ids, in: space) ?? []
            pictures += found.filter { confirmed[$0.imageID] != nil }
            images.merge(confirmed.mapValues(\.withoutVector)) { $1 }
        }
        let places = Dictionary(zip(vectors.ids, 0...)) { first, _ in first }
        self.pictures = pictures
        self.images = images
        rows = pictures.compactMap { places[$0.imageID] }
    }

    /// A group of the pictures at some places.
    func group(_ members: [Int], _ sameness: Sameness) -> SameGroup {
        let found = members.map { pictures[$0] }
        let files = Dictionary(found.map { ($0.fingerprint, $0.byteCount ?? 0) }) { first, _ in first }
        return SameGroup(
            sameness: sameness,
            images: found.compactMap { images[$0.imageID] },
            byteCounts: found.map(\.byteCount),
            bytesFreed: files.values.reduce(0, +) - (files.values.max() ?? 0)
        )
    }

    /// The first picture of each group, and all that are in none.
    func representatives(of groups: [[Int]], among all: [Int]) -> [Int] {
        let others = Set(groups.flatMap { $0.dropFirst() })
        return all.filter { !others.contains($0) }
    }

    func identicalFiles() -> [[Int]] {
        var groups: [[UInt8]: [Int]] = [:]
        for (place, picture) in pictures.enumerated() { groups[picture.digest, default: []].append(place) }
        return groups.values.filter { $0.count > 1 }
    }

    /// Pictures whose hashes are near and whose vectors are too.
    ///
    /// What is a copy of a copy belongs with it. A picture of one colour, whose hash says nothing, has no copies.
    func copies(among places: [Int]) -> [[Int]] {
        let hashed = places.filter { pictures[$0].hash ?? 0 != 0 }
        let hashes = hashed.map { PerceptualHash(bits: pictures[$0].hash ?? 0) }
        let pairs = Mutex<[(Int, Int)]>([])
        DispatchQueue.concurrentPerform(iterations: hashes.count) { one in
            let hash = hashes[one]
            let found = ((one + 1)..<hashes.count).filter { other in
                hash.distance(to: hashes[other]) <= SimilarityService.copyDistance
                    && vectors.cosine(rows[hashed[one]], rows[hashed[other]]) >= SimilarityService.copyCosine
            }
            if !found.isEmpty { pairs.withLock { $0 += found.map { (one, $0) } } }
        }
        var sets = DisjointSets(count: hashes.count)
        for (one, other) in pairs.withLock({ $0 }) { sets.join(one, other) }
        return sets.sets().map { $0.map { hashed[$0] } }
    }

    /// Groups around leaders.
    ///
    /// Sixty-four possible leaders at a time look at all later pictures at once.
    func clusters(
        among places: [Int],
        threshold: Float,
        _ progress: @Sendable (_ done: Int, _ total: Int) -> Void
    ) -> [[Int]] {
        let quantized = QuantizedVectors(dimension: vectors.dimension)
        for place in places {
            vectors.withRow(rows[place]) { row in
                row.withMemoryRebound(to: Float.self) { _ = quantized.append(Int64(place), $0) }
            }
        }
        var isTaken = [Bool](repeating: false, count: places.count)
        var clusters: [[Int]] = []
        var next = 0
        while next < places.count {
            var leaders: [Int] = []
            while next < places.count, leaders.count < 64 {
                if !isTaken[next] { leaders.append(next) }
                next += 1
            }
            for (leader, near) in zip(leaders, quantized.later(than: leaders, threshold: threshold))
            where !isTaken[leader] {
                let members = near.filter { other in
                    !isTaken[other] && vectors.cosine(rows[places[leader]], rows[places[other]]) >= threshold
                }
                guard !members.isEmpty else { continue }
                for member in members { isTaken[member] = true }
                clusters.append(([leader] + members).map { places[$0] })
            }
            progress(next, places.count)
        }
        return clusters
    }
}
