import ArgumentParser
import Catalog
import Foundation
import Similarity
import TestSupport
import Vectors

/// How long it takes to compare all pictures of a library with all others, where few are alike.
struct ClusterStage: ParsableCommand {
    @Option(help: "How many pictures.")
    var count = 100_000

    @Option(help: "Components of each vector.")
    var dimension = 512

    func run() throws {
        try withTemporaryFolder { folder in
            let library = try SearchLibrary(folder, count: count, dimension: dimension)
            let service = SimilarityService(try library.catalog(), space: library.space)
            let start = ContinuousClock.now
            let groups = try service.clusterBySimilarity(scope: .allUsers, threshold: 0.9)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            print("{\"cluster_seconds\": \(seconds), \"groups\": \(groups.count)}")
        }
    }
}
