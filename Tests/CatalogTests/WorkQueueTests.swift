import Foundation
import PostgreSQL
import Synchronization
import TestSupport
import Testing
import Vectors

@testable import Catalog

@Suite("The queue that shares out work")
struct WorkQueueTests {
    /// The images of a claim; empty where there was none.
    private func claim(_ queue: WorkQueue) throws -> [Int64] {
        guard case .images(let ids) = try queue.claim() else { return [] }
        return ids
    }

    private func isOver(_ queue: WorkQueue) throws -> Bool {
        if case .over = try queue.claim() { return true }
        return false
    }

    @Test("gives each image to one worker, and to nobody again once it is written")
    func once() throws {
        try PostgresSetting.with(images: 1000) { setting in
            let stores = try (0..<4).map { try setting.store("worker \($0)") }
            let images = try setting.images()
            try #require(stores[0].queue).offer(images.map(\.id))
            let counts = Mutex([Int64: Int]())
            let threads = stores.map { store in
                Thread {
                    while let queue = store.queue, let ids = try? self.claim(queue), !ids.isEmpty {
                        let vectors = try? setting.images(ids).map { try setting.vector($0) }
                        guard let vectors, (try? store.store(vectors, failures: [])) == [] else { return }
                        counts.withLock { counts in for id in ids { counts[id, default: 0] += 1 } }
                    }
                }
            }
            threads.forEach { $0.start() }
            while threads.contains(where: { !$0.isFinished }) { usleep(10_000) }
            #expect(counts.withLock { $0.count } == 1000)
            #expect(counts.withLock { $0.values.max() } == 1)
            for store in stores { #expect(try isOver(try #require(store.queue))) }
            #expect(try setting.bot.number("SELECT sum(embedded)::bigint FROM semblance.runs") == 1000)
        }
    }

    @Test("takes from a worker that slept too long what it held, and lets it write nothing of that when it wakes")
    func fencing() throws {
        try PostgresSetting.with { setting in
            let (sleeper, other) = (try setting.store("sleeper"), try setting.store("other"))
            let (sleeping, awake) = (try #require(sleeper.queue), try #require(other.queue))
            try sleeping.offer([1, 2, 3])
            #expect(try claim(sleeping) == [1, 2, 3])
            try awake.sweepClaims()
            #expect(try claim(awake) == [], "the lease still runs")
            try setting.bot.execute("UPDATE semblance.claims SET leased_until = clock_timestamp() - interval '1 s'")
            try awake.sweepClaims()
            #expect(try claim(awake) == [1, 2, 3])
            let images = try setting.images([1, 2, 3])
            let late = try images.map { try setting.vector($0, seed: 77) }
            let failure = FailureRecord(
                imageID: 3,
                fileUniqueID: "unique3",
                kind: .corrupt,
                fingerprint: nil,
                attempts: 1,
                nextAttempt: nil,
                message: "late"
            )
            #expect(try sleeper.store(Array(late.prefix(2)), failures: [failure]) == [1, 2])
            #expect(try other.vectors.vectorCount(in: other.space) == 0)
            #expect(try setting.bot.number("SELECT count(embedding) FROM images") == 0)
            #expect(try setting.bot.number("SELECT count(*) FROM semblance.failures") == 0)
            #expect(try other.store(images.map { try setting.vector($0) }, failures: []) == [])
            #expect(try sleeper.store(late, failures: []) == [1, 2, 3])
            let kept = try other.vectors.embeddings(of: [1], in: other.space).first?.1
            #expect(try kept == EmbeddingBlob(setting.vector(images[0]).embedding).bytes)
        }
    }

    @Test("gives up an image on which workers die, which was claimed alone in the end, and no other")
    func poison() throws {
        try PostgresSetting.with { setting in
            try #require(try setting.store("planner").queue).offer([1, 2, 3, 4, 5])
            var held: [[Int64]] = []
            for round in 1...20 {
                let store = try setting.store("worker \(round)")
                let queue = try #require(store.queue)
                let ids = try claim(queue)
                if ids.isEmpty { break }
                held.append(ids)
                if ids.contains(4) {
                    // It dies here; its lease runs out.
                    try setting.bot.execute("UPDATE semblance.claims SET leased_until = clock_timestamp()")
                } else if !ids.isEmpty {
                    _ = try store.store(setting.images(ids).map { try setting.vector($0) }, failures: [])
                }
                try queue.sweepClaims()
                try queue.giveUp()
            }
            #expect(held.filter { $0.contains(4) }.count == WorkQueue.mostAttempts)
            #expect(held.filter { $0.contains(4) }.suffix(3) == [[4], [4], [4]])
            let failures = try setting.bot.execute("SELECT image_id, class, attempts FROM semblance.failures").rows
            #expect(failures.map { $0.int64(0) } == [4])
            #expect(failures.first?.text(1) == "abandoned" && failures.first?.int64(2) == 5)
            #expect(try setting.bot.number("SELECT count(embedding) FROM images") == 4)
        }
    }

    @Test("lets nobody claim while it is paused, and counts no attempt for what is given back")
    func pause() throws {
        try PostgresSetting.with { setting in
            let store = try setting.store("worker")
            let queue = try #require(store.queue)
            try queue.offer([1, 2])
            let workers = Workers(setting.server)
            try workers.setPaused(true)
            #expect(try claim(queue) == [])
            #expect(try !isOver(queue))
            #expect(try workers.state().paused && workers.state().waiting == 2)
            try workers.setPaused(false)
            #expect(try claim(queue) == [1, 2])
            #expect(try workers.state().claimed == 2)
            #expect(try workers.state().workers.first?.claimed == 2)
            try store.finish()
            #expect(try workers.state().workers.isEmpty && workers.state().waiting == 2)
            #expect(try setting.bot.number("SELECT max(attempts) FROM semblance.work") == 0)
            #expect(try setting.bot.number("SELECT count(*) FROM semblance.claims") == 0)
        }
    }

    @Test("has one that plans, whose place another takes when it is not heard of any more")
    func planning() throws {
        try PostgresSetting.with { setting in
            let (one, other) = (
                try #require(try setting.store("one").queue), try #require(try setting.store("other").queue)
            )
            #expect(try one.beginPlanning() && one.beginPlanning())
            #expect(try !other.beginPlanning())
            #expect(try !isOver(other), "something may still be offered")
            try setting.bot.execute("UPDATE semblance.spaces SET planned_until = clock_timestamp() - interval '1 s'")
            guard case .unplanned = try other.claim() else {
                Issue.record("nobody has offered the rest")
                return
            }
            #expect(try other.beginPlanning())
            try one.endPlanning()
            #expect(try !one.beginPlanning(), "only whoever plans can end it")
            try other.endPlanning()
            #expect(try isOver(one))
        }
    }
}
