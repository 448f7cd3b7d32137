internal import LinuxHost
internal import Synchronization
package import SystemPackage

/// A worker on a thread of its own, for whoever has it do something from another one.
///
/// **Thread.** Any but the worker's own. **Life.** The worker ends with the value, at the latest.
package final class RunningWorker<Worker: EventLoopWorker & ~Copyable>: Sendable {
    private let commands: CommandBox<Worker>
    private let thread: WorkerThread
    private let firstFailure = FirstFailure()
    private let isShutDown = Atomic<Bool>(false)

    /// Starts a thread called `name`, which makes the worker with `setUp` and has it run. What `setUp` gets is polled for
    /// commands by the worker's ``EventLoop``.
    ///
    /// `report` is told why the worker moves no more, once, where it comes to that; ``failure`` says so too, and first. It
    /// is called on the worker's thread and must not wait for anything, least of all for this worker.
    package init<SetUp: Error>(
        name: String, report: @escaping @Sendable (WorkerFailure) -> Void = { _ in },
        setUp: @escaping @Sendable (_ commands: FileDescriptor) throws(SetUp) -> Worker
    ) throws(WorkerStartFailure<SetUp>) {
        do throws(Errno) {
            commands = try CommandBox()
        } catch {
            throw .noEventDescriptor(error)
        }
        let (commands, firstFailure) = (commands, firstFailure)
        do throws(WorkerThread.StartFailure<SetUp>) {
            thread = try WorkerThread.start(name: name, box: commands) { () throws(SetUp) -> Worker in
                try setUp(commands.wake.descriptor)
            } run: { worker in
                worker.run(commands) { failure in
                    firstFailure.note(failure)
                    report(failure)
                }
            }
        } catch {
            throw .thread(error)
        }
    }

    deinit { shutdown() }

    /// Why the worker moves no more.
    package var failure: WorkerFailure? {
        firstFailure.value
            ?? commands.wakeRefusal.map { errno in
                WorkerFailure(worker: Worker.title, EventLoopFailure(signalRefused: errno))
            }
    }

    /// Runs `body` on the worker between two passes and returns its answer; `nil` where the worker has ended.
    package func perform<Answer>(_ body: (inout Worker) -> Answer) -> Answer? {
        commands.perform(body)
    }

    /// Returns when the worker has published what it had done before.
    package func synchronise() { perform { _ in } }

    /// Returns when the worker has done everything that was asked of it and sleeps.
    package func settle() {
        // What an earlier command asked for begins after it, and a pass follows every command: the next one sees that
        // pass's sleep.
        synchronise()
        while perform({ worker in worker.isAtRest }) == false {}
    }

    /// Ends the worker, and returns when its state is gone, with the files that were its own. Every later call does
    /// nothing.
    package func shutdown() {
        guard !isShutDown.exchange(true, ordering: .relaxed) else { return }
        perform { worker in
            // What it has handed over is what the counts say: nothing moves after this.
            worker.finish()
            worker.publishCounts()
            worker.progress.isEnding = true
        }
        // One that cannot be woken ends in its own time.
        if !commands.isDeaf { thread.join() }
    }
}

/// Why a worker does not run.
package enum WorkerStartFailure<SetUp: Error>: Error {
    /// There is no eventfd to wake it with.
    case noEventDescriptor(Errno)
    /// Its thread does not serve.
    case thread(WorkerThread.StartFailure<SetUp>)
}
