import Foundation

/// A queue between two stages: the faster one waits, so that memory stays bounded.
///
/// - Note: `@unchecked Sendable` because every access to the stored properties holds `condition`.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    private let capacity: Int
    private let condition = NSCondition()
    private var elements: [Element] = []
    private var isClosed = false

    init(capacity: Int) { self.capacity = capacity }

    /// Adds an element, waiting while the queue is full.
    ///
    /// - Returns: `false` where the queue was closed and the element is dropped.
    @discardableResult
    func push(_ element: Element) -> Bool {
        condition.withLock {
            while elements.count >= capacity && !isClosed { condition.wait() }
            guard !isClosed else { return false }
            elements.append(element)
            condition.broadcast()
            return true
        }
    }

    /// Takes the oldest elements that are there, waiting for the first one; none when the queue is closed and empty.
    func pop(atMost count: Int) -> [Element] {
        condition.withLock {
            while elements.isEmpty && !isClosed { condition.wait() }
            let taken = Array(elements.prefix(count))
            elements.removeFirst(taken.count)
            condition.broadcast()
            return taken
        }
    }

    /// Takes the oldest element, waiting for one; `nil` when the queue is closed and empty.
    func pop() -> Element? { pop(atMost: 1).first }

    /// Says that nothing more will come; what is in the queue can still be taken.
    func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
        }
    }
}
