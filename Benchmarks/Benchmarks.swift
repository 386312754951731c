import ArgumentParser

/// What `make bench` measures inside the program; what it measures from outside is in Scripts/bench.py.
@main
struct Benchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Benchmarks",
        abstract: "Measures the stages one by one; prints JSON.",
        subcommands: [
            ImageStage.self, ModelStage.self, TextStage.self, SearchStage.self, HashStage.self, ClusterStage.self,
            ServerLibrary.self, ServerWorker.self, ServerSearch.self,
        ]
    )
}

/// Numbers that were measured again and again.
enum Repetitions {
    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
