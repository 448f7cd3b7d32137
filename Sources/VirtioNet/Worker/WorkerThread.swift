internal import CLinux
internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// A named operating-system thread that owns a worker's state.
///
/// Not a `Task`: a worker blocks in `io_uring_enter`, which would hold one of the cooperative pool's threads.
package enum WorkerThread {
    /// Starts a detached thread that makes its state with `setUp` and then serves with `run` until that returns.
    ///
    /// Returns when the state is made, or throws what `setUp` threw: an io_uring for a single issuer belongs to
    /// the thread that made it. `name` is cut to the kernel's 15 characters.
    package static func start<State: ~Copyable>(
        name: String,
        setUp: @escaping @Sendable () throws(VirtioNetError) -> State,
        run: @escaping @Sendable (inout State) -> Void
    ) throws(VirtioNetError) {
        let isSetUp = DispatchSemaphore(value: 0)
        let failure = Failure()
        do throws(Errno) {
            try spawn(name: name) {
                do throws(VirtioNetError) {
                    var state = try setUp()
                    isSetUp.signal()
                    run(&state)
                } catch {
                    failure.error.withLock { $0 = error }
                    isSetUp.signal()
                }
            }
        } catch {
            throw VirtioNetError(.threadNotStarted(name: name), errno: error)
        }
        isSetUp.wait()
        if let error = failure.error.withLock({ $0 }) { throw error }
    }

    /// The same for a worker that answers commands: whichever way it ends, and also where it cannot be started, its
    /// box is closed, so that nobody waits for an answer of a worker that is not there.
    package static func start<State: ~Copyable>(
        name: String, box: CommandBox<State>,
        setUp: @escaping @Sendable () throws(VirtioNetError) -> State,
        run: @escaping @Sendable (inout State) -> Void
    ) throws(VirtioNetError) {
        do throws(VirtioNetError) {
            try start(name: name, setUp: setUp) { (state: inout State) in
                run(&state)
                box.close()
            }
        } catch {
            box.close()
            throw error
        }
    }

    private final class Failure: Sendable {
        let error = Mutex<VirtioNetError?>(nil)
    }

    private static func spawn(name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        let start = Start(name: String(name.prefix(15)), body: body)
        let argument = unsafe Unmanaged.passRetained(start)
        var thread = pthread_t()
        let error = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                _ = unsafe clinux_thread_set_name(start.name)
                start.body()
                return nil
            }, argument.toOpaque())
        guard error == 0 else {
            unsafe argument.release()
            throw Errno(rawValue: error)
        }
        pthread_detach(thread)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
