internal import CLinux
internal import Dispatch
internal import Glibc
internal import LinuxHost
internal import Synchronization
package import SystemPackage

/// A named operating-system thread that owns a worker's state.
///
/// Not a `Task`: a worker blocks in `io_uring_enter`, which would hold one of the cooperative pool's threads.
///
/// The value stands for the thread, to wait for its end. One that nobody keeps ends by itself.
package final class WorkerThread: Sendable {
    /// Why a thread does not serve.
    package enum StartFailure<SetUp: Error>: Error {
        /// The kernel gave no thread of that name.
        case thread(name: String, Errno)
        /// The thread could not make its state.
        case setUp(SetUp)
    }

    private let thread: pthread_t
    private let isJoined = Atomic<Bool>(false)

    private init(_ thread: pthread_t) { self.thread = thread }

    deinit {
        if !isJoined.load(ordering: .acquiring) { pthread_detach(thread) }
    }

    /// Returns when the thread has ended and its state is gone, with the files that were its own. Whoever calls it has
    /// told the worker to end, and is not the worker. A second call returns at once.
    package func join() {
        guard !isJoined.exchange(true, ordering: .acquiringAndReleasing) else { return }
        pthread_join(thread, nil)
    }

    /// Starts a thread that makes its state with `setUp` and then serves with `run` until that returns.
    ///
    /// Returns when the state is made: an io_uring for a single issuer belongs to the thread that made it. `name` is
    /// cut to the kernel's 15 characters.
    ///
    /// `box` is where a worker takes commands from: whichever way it ends, and also where it cannot be started, its box
    /// is closed, so that nobody waits for an answer of a worker that is not there.
    @discardableResult
    package static func start<State: ~Copyable, SetUp: Error>(
        name: String, box: CommandBox<State>? = nil,
        setUp: @escaping @Sendable () throws(SetUp) -> State,
        run: @escaping @Sendable (inout State) -> Void
    ) throws(StartFailure<SetUp>) -> WorkerThread {
        let isSetUp = DispatchSemaphore(value: 0)
        let failure = Failure<SetUp>()
        let thread: WorkerThread
        do throws(Errno) {
            thread = try spawn(name: name) {
                do throws(SetUp) {
                    var state = try setUp()
                    isSetUp.signal()
                    run(&state)
                    box?.close()
                } catch {
                    failure.error.withLock { $0 = error }
                    isSetUp.signal()
                }
            }
        } catch {
            box?.close()
            throw .thread(name: name, error)
        }
        isSetUp.wait()
        if let error = failure.error.withLock({ $0 }) {
            box?.close()
            throw .setUp(error)
        }
        return thread
    }

    private final class Failure<SetUp: Error>: Sendable {
        let error = Mutex<SetUp?>(nil)
    }

    private static func spawn(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(Errno) -> WorkerThread {
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
        return WorkerThread(thread)
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

extension WorkerThread.StartFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .thread(let name, let errno): "cannot start the thread \(name): \(Shortage.words(errno))"
        case .setUp(let error): "\(error)"
        }
    }
}
