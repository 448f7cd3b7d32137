internal import Synchronization

/// Hands a noncopyable value to another thread, once.
package final class TransferBox<Content: ~Copyable & Sendable>: Sendable {
    private let content: Mutex<Content?>

    package init(_ content: consuming sending Content) {
        self.content = Mutex(content)
    }

    /// The value; `nil` for whoever comes second.
    package func take() -> Content? {
        content.withLock { $0.take() }
    }
}
