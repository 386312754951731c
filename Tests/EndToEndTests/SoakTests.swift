import Foundation
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    /// `make soak` runs them with a hundred thousand pictures and a million rows.
    @Suite("A long run")
    struct SoakTests {
        private static let images =
            ProcessInfo.processInfo.environment["SEMBLANCE_SOAK_IMAGES"].flatMap { Int($0) } ?? 3000

        @Test("of the small real model keeps its memory flat")
        func flatMemory() throws {
            try withLibrary { library in
                for id in 1...Self.images {
                    try library.write(JPEGWriter.picture(id), "data/img/\(id).jpg")
                }
                try library.bot.execute(
                    """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.images))
                    INSERT INTO images (id, chat_id, file_id, file_unique_id, compressed_path, processing_status)
                    SELECT i, 1, 'f' || i, 'u' || i, 'data/img/' || i || '.jpg', 'completed' FROM n
                    """
                )
                let clock = ContinuousClock()
                let environment = [
                    "SEMBLANCE_MODELS": Fixtures.installedModels.string, "EMBEDDING_MODEL": "efficientnet-lite0",
                ]
                let start = clock.now
                let run = try library.start(["generate", "--all-users"], with: environment)
                let samples = memory(of: run)
                #expect(try run.wait().status == 0)
                let time = clock.now - start
                #expect(try library.vectorCount() == Self.images)
                let early = try #require(median(samples[(samples.count / 4)..<(samples.count / 2)]))
                let late = try #require(median(samples[(samples.count * 3 / 4)...]))
                print("\(Self.images) images in \(time): resident memory \(early) kB early, \(late) kB late")
                #expect(late - early < 16_384, "\(early) kB early, \(late) kB late")
            }
        }

        @Test("of stats over many rows needs little memory")
        func manyRows() throws {
            try withLibrary { library in
                let rows = max(100_000, min(Self.images * 10, 1_000_000))
                try library.bot.execute(
                    """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
                    INSERT INTO images (id, chat_id, file_id, file_unique_id, compressed_path, processing_status, embedding,
                        embedding_model)
                    SELECT i, 1, 'f' || i, 'u' || i, 'data/img/' || i || '.jpg', 'completed',
                        CASE WHEN i % 2 THEN randomblob(2052) END, 'clip-ViT-B-32' FROM n
                    """
                )
                let clock = ContinuousClock()
                let start = clock.now
                let run = try library.start(["stats"])
                let peak = memory(of: run).max() ?? 0
                let outcome = try run.wait()
                let time = clock.now - start
                #expect(outcome.output.contains("Total completed images: \(rows)\n"))
                print("stats of \(rows) rows: \(time), \(peak) kB at most")
                #expect(peak < 150_000)
            }
        }

        /// The resident memory of a process until its end, in kB, twenty times a second.
        private func memory(of run: Program) -> [Int] {
            var samples: [Int] = []
            while let memory = run.residentMemory, memory > 0 {
                samples.append(memory)
                usleep(50_000)
            }
            return samples
        }

        private func median(_ samples: ArraySlice<Int>) -> Int? {
            samples.isEmpty ? nil : samples.sorted()[samples.count / 2]
        }
    }
}
