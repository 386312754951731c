import HTTPTypes
import Hummingbird
import Synchronization

/// How many requests there were and how long they took, by address, in Prometheus' text format.
final class RequestMetrics: Sendable {
    /// Upper bounds of the durations' buckets, in seconds.
    private static let bounds = [0.005, 0.02, 0.1, 0.5, 2, 10]

    private struct Key: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Durations {
        var buckets = [Int](repeating: 0, count: RequestMetrics.bounds.count)
        var count = 0
        var sum = 0.0
    }

    private let state = Mutex((counts: [Key: Int](), durations: [String: Durations]()))

    /// Counts a request that was answered.
    func add(method: String, route: String, status: Int, seconds: Double) {
        state.withLock { state in
            state.counts[Key(method: method, route: route, status: status), default: 0] += 1
            var durations = state.durations[route] ?? Durations()
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { durations.buckets[index] += 1 }
            durations.count += 1
            durations.sum += seconds
            state.durations[route] = durations
        }
    }

    /// The lines, each with a line feed.
    var text: String {
        let (counts, durations) = state.withLock { ($0.counts, $0.durations) }
        var lines = ["# TYPE semblance_requests_total counter"]
        for (key, count) in counts {
            let labels = #"method="\#(key.method)",route="\#(key.route)",status="\#(key.status)""#
            lines.append("semblance_requests_total{\(labels)} \(count)")
        }
        lines.append("# TYPE semblance_request_duration_seconds histogram")
        for (route, found) in durations {
            let name = "semblance_request_duration_seconds"
            for (bound, count) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], found.buckets + [found.count]) {
                lines.append(#"\#(name)_bucket{route="\#(route)",le="\#(bound)"} \#(count)"#)
            }
            lines.append(#"\#(name)_sum{route="\#(route)"} \#(found.sum)"#)
            lines.append(#"\#(name)_count{route="\#(route)"} \#(found.count)"#)
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

/// Measures every request, whatever becomes of it; addresses that are none count as one.
struct MetricsGate: RouterMiddleware {
    typealias Context = AnswerContext
    let metrics: RequestMetrics

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let method = ["GET", "HEAD", "POST"].contains(request.method.rawValue) ? request.method.rawValue : "other"
        metrics.add(
            method: method,
            route: context.endpointPath ?? "NotFound",
            status: response.status.code,
            seconds: (ContinuousClock.now - start) / .seconds(1)
        )
        return response
    }
}
