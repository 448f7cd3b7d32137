import Glibc
import Synchronization

/// What another thread leaves behind.
private final class Shared<R: Sendable>: Sendable {
    let result = Mutex<R?>(nil)
}

/// Runs `body` on a thread of its own.
func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let failure = unsafe pthread_create(
        &thread, nil,
        { argument in
            if let argument = unsafe argument {
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(failure == 0, "a thread starts")
    return thread
}

/// Runs `body` on another thread and waits for what it returns.
func onThread<R: Sendable>(_ body: @escaping @Sendable () -> R) -> R? {
    let cell = Shared<R>()
    let thread = start { cell.result.withLock { $0 = body() } }
    pthread_join(thread, nil)
    return cell.result.withLock { $0 }
}
