internal import SystemPackage
internal import WorkerRuntime

/// The doorbell pages of a device that are mapped, and the thread that looks at them for writes.
///
/// No write to memory wakes a thread without a fault, and the guest's thread must not wait for ours: so a thread looks,
/// every ``longestPause`` while nothing comes and more often after a write. It exists while a page is mapped. The control
/// thread looks too, before it has the device do anything, so that a write counts for the device as it was at that time.
/// A kick therefore comes late by a pause at the most, and costs the device's worker a command.
final class DoorbellWatch: Sendable {
    /// What a look costs at rest: a thousand wakeups a second.
    static let longestPause = Duration.milliseconds(1)
    static let shortestPause = Duration.microseconds(50)

    private struct Doorbell {
        let page: DoorbellPage
        /// The queues that a write kicks: all that share the page, as a later write hides which one it was.
        let queues: Range<Int>
    }

    private struct Watched {
        var doorbells: [Doorbell] = []
        var thread: WorkerThread?
    }

    private let kick: @Sendable (Range<Int>) -> Void
    /// Held over a look and its kicks: when it is let go of, no write of before is on its way.
    private let watched = Guarded(Watched())
    private let isEnding = Monitor(false)

    /// Has `kick` look at queues; it is called on either thread, and returns when they will be looked at.
    init(kick: @escaping @Sendable (Range<Int>) -> Void) { self.kick = kick }

    deinit { end() }

    /// The page whose writes kick `queues`, the same one each time. EAGAIN where there is no thread to look at it.
    func page(of queues: Range<Int>) throws(Errno) -> DoorbellPage {
        try watched.withLock { (watched) throws(Errno) in
            if let known = watched.doorbells.first(where: { $0.queues == queues }) { return known.page }
            let page = try DoorbellPage()
            if watched.thread == nil { watched.thread = try startThread() }
            watched.doorbells.append(Doorbell(page: page, queues: queues))
            return page
        }
    }

    /// Kicks the queues whose pages have been written to. `true` where one was.
    @discardableResult
    func look() -> Bool {
        watched.withLock { watched in
            var hasRung = false
            for doorbell in watched.doorbells where doorbell.page.takeWrite() {
                kick(doorbell.queues)
                hasRung = true
            }
            return hasRung
        }
    }

    /// Looks at no page any more. Those that are mapped stay memory.
    func end() {
        let thread = watched.withLock { watched in
            let thread = watched.thread
            watched = Watched()
            return thread
        }
        guard let thread else { return }
        isEnding.change { $0 = true }
        thread.join()
        isEnding.change { $0 = false }
    }

    private func startThread() throws(Errno) -> WorkerThread {
        do throws(WorkerThread.StartFailure<Never>) {
            return try WorkerThread.start(name: "vdpa-doorbells") { [unowned self] in
                DoorbellLooker(watch: self)
            } run: { looker in
                looker.run()
            }
        } catch {
            switch error {
            case .thread(_, let errno): throw errno
            }
        }
    }

    /// Waits out a pause; `false` where the watch ends.
    fileprivate func wait(_ pause: Duration) -> Bool {
        isEnding.wait(atMost: pause) { $0 ? true : nil } == nil
    }
}

/// What the thread does. The watch outlives it: it waits for the thread's end.
private struct DoorbellLooker: ~Copyable {
    unowned let watch: DoorbellWatch

    func run() {
        var pause = DoorbellWatch.longestPause
        while watch.wait(pause) {
            pause = watch.look() ? DoorbellWatch.shortestPause : min(pause * 2, DoorbellWatch.longestPause)
        }
    }
}
