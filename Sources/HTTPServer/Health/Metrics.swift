import HTTPTypes
import Hummingbird
import Synchronization

/// How many requests there were, and how long they and the stages of embedding took, in Prometheus' text format.
package final class Metrics: Sendable {
    /// Upper bounds of the durations' buckets, in seconds.
    private static let bounds = [0.005, 0.02, 0.1, 0.5, 2, 10]

    private struct Request: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    /// What takes time.
    private enum Span: Hashable {
        case request(route: String)
        case stage(String)

        var name: String {
            switch self {
            case .request: "semblance_request_duration_seconds"
            case .stage: "semblance_stage_duration_seconds"
            }
        }

        var label: String {
            switch self {
            case .request(let route): #"route="\#(route)""#
            case .stage(let stage): #"stage="\#(stage)""#
            }
        }
    }

    private struct Durations {
        var buckets = [Int](repeating: 0, count: Metrics.bounds.count)
        var count = 0
        var sum = 0.0
    }

    private let state = Mutex((requests: [Request: Int](), spans: [Span: Durations]()))

    package init() {}

    /// Counts a request that was answered.
    func add(method: String, route: String, status: Int, seconds: Double) {
        state.withLock { $0.requests[Request(method: method, route: route, status: status), default: 0] += 1 }
        add(.request(route: route), seconds)
    }

    /// Counts a piece of a stage's work: decode, inference, store, search.
    package func add(stage: String, _ duration: Duration) { add(.stage(stage), duration / .seconds(1)) }

    /// Does a piece of a stage's work, and counts it.
    func timing<Value>(_ stage: String, _ work: () throws -> Value) rethrows -> Value {
        let start = ContinuousClock.now
        defer { add(stage: stage, ContinuousClock.now - start) }
        return try work()
    }

    private func add(_ span: Span, _ seconds: Double) {
        state.withLock { state in
            var durations = state.spans[span] ?? Durations()
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { durations.buckets[index] += 1 }
            durations.count += 1
            durations.sum += seconds
            state.spans[span] = durations
        }
    }

    /// The lines, each with a line feed.
    var text: String {
        let (requests, spans) = state.withLock { ($0.requests, $0.spans) }
        var lines = ["# TYPE semblance_requests_total counter"]
        for (request, count) in requests {
            let labels = #"method="\#(request.method)",route="\#(request.route)",status="\#(request.status)""#
            lines.append("semblance_requests_total{\(labels)} \(count)")
        }
        for (name, found) in Dictionary(grouping: spans, by: { $0.key.name }) {
            lines.append("# TYPE \(name) histogram")
            for (span, durations) in found { lines += Self.lines(name, span.label, durations) }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func lines(_ name: String, _ label: String, _ durations: Durations) -> [String] {
        zip(bounds.map { "\($0)" } + ["+Inf"], durations.buckets + [durations.count]).map { bound, count in
            #"\#(name)_bucket{\#(label),le="\#(bound)"} \#(count)"#
        } + ["\(name)_sum{\(label)} \(durations.sum)", "\(name)_count{\(label)} \(durations.count)"]
    }
}

/// Measures every request, whatever becomes of it; addresses that are none count as one.
struct MetricsGate: RouterMiddleware {
    typealias Context = AnswerContext
    let metrics: Metrics

    func handle(
        _ request: Request,
        context: AnswerContext,
        next: @concurrent (Request, AnswerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let method =
            ["GET", "HEAD", "POST", "DELETE"].contains(request.method.rawValue) ? request.method.rawValue : "other"
        metrics.add(
            method: method,
            route: context.endpointPath ?? "NotFound",
            status: response.status.code,
            seconds: (ContinuousClock.now - start) / .seconds(1)
        )
        return response
    }
}
