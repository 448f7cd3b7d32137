internal import Glibc

/// A value that threads share, one at a time, behind a pthread mutex.
///
/// Not the standard library's `Mutex`: ThreadSanitizer does not look into its slow path, and so takes every value that
/// two threads really wait for each other over for a race.
@safe package final class Guarded<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        let error = unsafe pthread_mutex_init(mutex, nil)
        precondition(error == 0, "a mutex without attributes takes nothing that could be missing")
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` on the value while nobody else does. Not to be called from within itself.
    package func withLock<Answer, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
