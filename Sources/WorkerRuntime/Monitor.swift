internal import Glibc

/// A value that threads share, one at a time, and whose changes they wait for: a ``Guarded`` with a condition.
///
/// Of pthread, as ThreadSanitizer does not look into what Dispatch and the standard library have.
@safe package final class Monitor<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let errors = unsafe (pthread_mutex_init(mutex, nil), pthread_cond_init(condition, &attributes))
        unsafe pthread_condattr_destroy(&attributes)
        precondition(errors == (0, 0), "a mutex and a condition take nothing that could be missing")
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` on the value while nobody else does, and wakes who waits. Not to be called from within itself.
    package func change<Answer>(_ body: (inout Value) -> Answer) -> Answer {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        let answer = body(&value)
        unsafe pthread_cond_broadcast(condition)
        return answer
    }

    /// Runs `body`, at once and after each change, until it answers, which wakes who else waits; `nil` where it has not
    /// within `patience`. Without one it waits for as long as it takes.
    package func wait<Answer>(
        atMost patience: Duration? = nil, for body: (inout Value) -> Answer?
    ) -> Answer? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        let deadline = patience.map { Self.deadline(after: $0) }
        var isOver = false
        while true {
            if let answer = body(&value) {
                unsafe pthread_cond_broadcast(condition)
                return answer
            }
            if isOver { return nil }
            if var time = deadline {
                // Looked at once more: what it waits for may have come with the end of the time.
                isOver = unsafe pthread_cond_timedwait(condition, mutex, &time) != 0
            } else {
                unsafe pthread_cond_wait(condition, mutex)
            }
        }
    }

    private static func deadline(after patience: Duration) -> timespec {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + Int(max(.zero, patience) / .nanoseconds(1))
        time.tv_sec += nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        return time
    }
}
