public import SystemPackage

/// A worker that lives in passes, with what it waits for in an ``EventLoop``. Its life is the same for all of them,
/// ``run(_:report:)``; what a pass does is its own.
///
/// Public, in a target that is no product: ``run(_:report:)`` is specialised in the worker's module only where it is
/// public and inlinable (Swift 6.3).
///
/// **Thread.** The worker's alone.
public protocol EventLoopWorker: ~Copyable, SendableMetatype {
    /// What a person calls it.
    static var title: String { get }

    /// What it waits for.
    var loop: EventLoop { get set }
    /// Where it stands between two passes.
    var progress: WorkerProgress { get set }

    /// One pass: whatever there is to do, up to a limit. Returns whether there was anything.
    mutating func serve() -> Bool

    /// Makes the counts visible to other threads.
    mutating func publishCounts()

    /// Why the other side was not woken once; `nil` where it always was.
    var signalRefusal: Errno? { get }

    /// Asks the other side for signals, after a pass that found nothing. `false` where there is something meanwhile.
    mutating func isReadyToSleep() -> Bool

    /// Sleeps until there is an event. ``EventLoop/sleep(timeout:)``, unless a worker has more to say.
    mutating func sleep()

    /// Hands over what others are to have of it, in its last command. Nothing, unless a worker has more to say.
    mutating func finish()

    /// Serves until a command from `box` ends it, which is the box that the loop polls; a requirement so that it is
    /// specialised where the worker is.
    mutating func run(_ box: CommandBox<Self>, report: (WorkerFailure) -> Void)
}

/// Where a worker stands between two passes.
public struct WorkerProgress: Sendable {
    /// Set by the last command.
    @usableFromInline package var isEnding = false
    /// The last pass ended in sleep.
    @usableFromInline package var hasSlept = false
    fileprivate var hasReportedFailure = false

    package init() {}
}

extension EventLoopWorker where Self: ~Copyable {
    /// Sleeps until there is an event.
    @inlinable
    public mutating func sleep() { loop.sleep() }

    /// Nothing to hand over.
    @inlinable
    public mutating func finish() {}

    /// Serves until a command from `box`, which the loop polls, sets ``WorkerProgress/isEnding``.
    ///
    /// One command, one pass, and so on: between two passes nothing of the worker's is in flight. A worker whose loop has
    /// failed is told of by `report`, once, and goes on answering commands: whoever stops its queues learns where they
    /// stand.
    @inlinable
    public mutating func run(_ box: CommandBox<Self>, report: (WorkerFailure) -> Void) {
        while !box.isDeaf {
            if loop.hasCommands {
                loop.hasCommands = false
                box.deliver(to: &self)
                // Whoever wrote the last command may unmap guest memory as soon as it is answered.
                if progress.isEnding { break }
            }
            if loop.hasFailed {
                stand(report)
                continue
            }
            let moved = serve()
            publishCounts()
            if let refusal = signalRefusal { loseSignals(refusal) }
            progress.hasSlept = !moved && isReadyToSleep()
            if progress.hasSlept { sleep() } else { loop.collect() }
        }
        loop.releasePort()
    }

    /// Waits for a command, of a worker whose loop has failed.
    @usableFromInline
    mutating func stand(_ report: (WorkerFailure) -> Void) {
        progress.hasSlept = true
        if !progress.hasReportedFailure, let cause = loop.failure {
            progress.hasReportedFailure = true
            report(WorkerFailure(worker: Self.title, cause))
        }
        loop.waitForCommands()
    }

    /// Ends the loop: whoever is not woken waits for ever.
    @usableFromInline
    mutating func loseSignals(_ refusal: Errno) {
        loop.fail(EventLoopFailure(signalRefused: refusal))
    }

    /// Nothing is left to do until there is an event or a command changes something.
    package var isAtRest: Bool { progress.hasSlept && (!loop.hasSignals || loop.hasFailed) }
}
