import Glibc

/// Kernel threads for work that blocks in the kernel for long, where a cooperative pool must not be held up.
enum WorkerThreads {
    /// Runs `helper` on `helpers` new threads and `caller` on this one, and returns when all have ended.
    ///
    /// A thread the system refuses is done without; `caller` must therefore be able to finish alone.
    static func run(helpers: Int, helper: @escaping @Sendable () -> Void, caller: () -> Void) {
        var threads: [pthread_t] = []
        for _ in 0..<helpers {
            let body = unsafe Unmanaged.passRetained(ThreadBody(run: helper))
            var thread = pthread_t()
            let refused = unsafe pthread_create(
                &thread, nil,
                { argument in
                    if let argument = unsafe argument {
                        unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                    }
                    return nil
                }, body.toOpaque()
            )
            guard refused == 0 else {
                unsafe body.release()
                break
            }
            threads.append(thread)
        }
        caller()
        for thread in threads { _ = pthread_join(thread, nil) }
    }
}

/// What carries a closure through `pthread_create`'s pointer.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
