internal import IOUring
internal import LinuxHost
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioDevice
internal import VirtioNet
internal import WorkerRuntime

/// The thread of the kernel's vdpa_sim_net (`vdpasim_net_work` in drivers/vdpa/vdpa_sim/vdpa_sim_net.c).
///
/// A kick of any queue is one pass: every control command, then frames from the transmit ring into the receive ring
/// until the first is empty, a frame finds no receive chain, or ``framesPerPass`` were looped, after which the device
/// schedules the next pass itself. It asks for a kick with every chain and calls with every chain it gives back.
///
/// Five frames a pass bear a question for the rings' format with each chain: nothing here is specialised.
///
/// Not imitated: chains that break virtio's rules or do not translate. The kernel's simulator takes some of them and
/// never returns them; here they come back with length zero, counted, as from every device of this project.
struct VdpasimNetWorker: ~Copyable, EventLoopWorker {
    private static let framesPerPass = 5
    /// `struct virtio_net_hdr`, a frame's header without VERSION_1.
    private static let legacyHeaderByteCount = 10
    private static let addressByteCount = 6
    /// The longest chain is a ring of 256, and two are in flight at once.
    private static let segmentCount = 1024

    /// What a person calls it.
    static let title = "the simulated device's worker"

    var loop: EventLoop
    var progress = WorkerProgress()
    var receive: FrameQueue
    var transmit: FrameQueue
    var control: FrameQueue
    /// What the driver has set until this moment, whenever the queues were enabled: it says how long a frame's header is, and
    /// whether there is a control queue (`vdpasim->features`).
    var features: VirtioFeatures = []
    /// What kicks have scheduled.
    var work = KickedWork()
    private let configuration: ConfigurationSpace
    private var segments = SegmentBuffer(capacity: segmentCount)
    /// The frame or command that the device is looking at.
    private var page = PageBuffer()

    /// Makes the worker of the calling thread, which polls `commands`, with its queues stopped.
    init(
        commands: FileDescriptor, configuration: ConfigurationSpace, counters: [QueueCounters],
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        do throws(IOUringError) {
            loop = try EventLoop(commands: commands, port: nil, signals: counters.count, batchSize: 16)
        } catch {
            throw VirtioNetError(.ring(error))
        }
        func queue(_ index: Int, _ role: QueueRole) -> FrameQueue {
            FrameQueue(
                role: role,
                served: ServedQueue(
                    index: index,
                    quirks: SplitRingQuirks(takesAnyAvailIndex: true, takesAnyTableAddress: true),
                    report: report),
                counters: counters[index])
        }
        receive = queue(0, .receive(0))
        transmit = queue(1, .transmit(0))
        control = queue(2, .control)
        self.configuration = configuration
    }

    func publishCounts() {
        receive.publishCounts()
        transmit.publishCounts()
        control.publishCounts()
    }

    /// Why the driver was not called.
    var signalRefusal: Errno? {
        receive.served.callRefusal ?? transmit.served.callRefusal ?? control.served.callRefusal
    }

    /// The rings never ask for anything: every chain comes with a kick.
    func isReadyToSleep() -> Bool { !work.isScheduled }

    /// Runs `body` on queue `index`.
    mutating func withQueue<Answer>(_ index: Int, _ body: (inout ServedQueue) -> Answer) -> Answer {
        switch index {
        case 0: body(&receive.served)
        case 1: body(&transmit.served)
        default: body(&control.served)
        }
    }

    // MARK: Kicks

    /// Does the work that kicks have scheduled. Returns whether there was any.
    mutating func serve() -> Bool {
        takeKicks()
        guard work.begin() else { return false }
        serveControlQueue()
        loopFrames()
        return true
    }

    /// Takes the kicks that were made before this moment, while their queues are still what they were: those of a
    /// queue that is not started are lost, and not there for the start that follows.
    mutating func takeEarlierKicks() {
        loop.collect()
        takeKicks()
    }

    private mutating func takeKicks() {
        for index in 0...2 where loop.takeSignals(index) > 0 { kick(index) }
    }

    /// Takes a kick of a queue.
    mutating func kick(_ index: Int) {
        let isStarted = withQueue(index) { queue in
            queue.receiveKicks()
            return queue.isStarted
        }
        work.kick(started: isStarted)
    }

    // MARK: Frames

    private mutating func loopFrames() {
        guard transmit.served.isStarted, receive.served.isStarted else { return }
        let headerByteCount =
            features.contains(.version1) ? NetworkHeader.byteCount : Self.legacyHeaderByteCount
        transmit.served.lookAgain()
        receive.served.lookAgain()
        guard var outgoing = transmit.served.takeRing(as: AnyDeviceQueue.self) else { return }
        let address = configuration.read(at: 0, count: Self.addressByteCount)
        var taken = 0
        var hasMore = true
        // Dropped frames are counted in no budget by the kernel; here no guest keeps the worker from its commands.
        var pass = PassBudget(chains: outgoing.size)
        while hasMore, pass.hasRoom {
            segments.removeAll()
            // Each frame is a batch of its own, with a call of its own (`vdpasim_net_complete`).
            let start = transmit.served.beginBatch(of: outgoing)
            defer { transmit.finishBatch(of: &outgoing, since: start) }
            guard let chain = transmit.served.nextChain(of: &outgoing, into: &segments, within: &pass) else {
                hasMore = transmit.served.isKicked
                break
            }
            taken += 1
            page.fill(from: chain, in: segments)
            pass.take(bytes: UInt32(page.count), segments: segments.count)
            transmit.counts.packets &+= 1
            transmit.counts.bytes &+= UInt64(max(0, page.count - headerByteCount))
            transmit.account.left &+= 1
            receive.account.entered &+= 1
            if !accepts(headerByteCount, address) {
                receive.counts.drops &+= 1
                receive.account.filtered &+= 1
                outgoing.complete(chain.handle, byteCount: 0)
                continue
            }
            // A frame without a receive chain ends the pass; what is behind it waits for the next kick.
            hasMore = deliver(headerByteCount, isCut: Int(chain.readableBytes) > page.count, within: &pass)
            if !hasMore {
                receive.counts.drops &+= 1
                receive.account.noBuffer &+= 1
            }
            outgoing.complete(chain.handle, byteCount: 0)
            if taken >= Self.framesPerPass { break }
        }
        if hasMore { work.schedule() }
        transmit.served.putBack(outgoing)
    }

    /// `receive_filter`: broadcast, multicast or the device's own address, in a frame that has room for one.
    ///
    /// The kernel compares addresses with strncmp: what follows a byte that is zero in both may be anything.
    private func accepts(_ headerByteCount: Int, _ own: [UInt8]) -> Bool {
        guard page.count >= headerByteCount + Self.addressByteCount else { return false }
        if page.address(at: headerByteCount).isMulticast { return true }
        for (index, octet) in own.enumerated() {
            if page[headerByteCount + index] != octet { return false }
            if octet == 0 { return true }
        }
        return true
    }

    /// Writes the frame, with the header it was sent with, to the next receive chain; `false` where there is none.
    /// `isCut` says that the frame in the page is not whole.
    private mutating func deliver(
        _ headerByteCount: Int, isCut: Bool, within pass: inout PassBudget
    ) -> Bool {
        guard var incoming = receive.served.takeRing(as: AnyDeviceQueue.self) else { return false }
        let start = receive.served.beginBatch(of: incoming)
        let mark = segments.count
        var written = 0
        if let target = receive.served.nextChain(of: &incoming, into: &segments, within: &pass) {
            written = page.write(to: target, in: segments)
            if written > 0 {
                receive.counts.packets &+= 1
                receive.counts.bytes &+= UInt64(max(0, written - headerByteCount))
                if isCut || written < page.count { receive.account.cut &+= 1 }
                incoming.complete(target.handle, byteCount: UInt32(written))
            } else {
                receive.served.refuse(target.handle, of: &incoming)
            }
        }
        segments.truncate(to: mark)
        receive.finishBatch(of: &incoming, since: start)
        receive.served.putBack(incoming)
        return written > 0
    }

    // MARK: Control queue

    /// `vdpasim_handle_cvq`: MAC_ADDR_SET, and an error for everything else.
    ///
    /// The answer to a class that is not known is what the last command of the same pass was answered, as in the
    /// kernel: alone it is an error.
    private mutating func serveControlQueue() {
        guard control.served.isStarted, features.contains(.controlQueue) else { return }
        control.served.lookAgain()
        guard var queue = control.served.takeRing(as: AnyDeviceQueue.self) else { return }
        var answer = ControlCommand.error
        var pass = PassBudget(chains: queue.size)
        while pass.hasRoom {
            segments.removeAll()
            let start = control.served.beginBatch(of: queue)
            let calls = control.served.tally.calls
            var isAnswered = false
            defer {
                control.finishBatch(of: &queue, since: start)
                // The kernel asks no control queue whether it wants a call.
                if isAnswered, control.served.tally.calls == calls { control.served.signalCall() }
            }
            guard let chain = control.served.nextChain(of: &queue, into: &segments, within: &pass) else {
                break
            }
            page.fill(from: chain, in: segments)
            pass.take(bytes: UInt32(page.count), segments: segments.count)
            if let command = ControlCommand(page) { answer = perform(command) ?? answer }
            page.fill(with: answer)
            queue.complete(chain.handle, byteCount: UInt32(page.write(to: chain, in: segments)))
            isAnswered = true
        }
        if control.served.isKicked { work.schedule() }
        control.served.putBack(queue)
    }

    /// Does a command and returns its answer; `nil` for a class that is not known.
    ///
    /// An address that is short is an error, and its bytes are in the configuration all the same.
    private func perform(_ command: ControlCommand) -> UInt8? {
        guard command.commandClass == ControlCommand.macClass else { return nil }
        guard command.number == ControlCommand.setAddress else { return ControlCommand.error }
        let first = ControlCommand.headerByteCount
        let last = min(page.count, first + Self.addressByteCount)
        configuration.write((first..<last).map { page[$0] }, at: 0)
        return last == first + Self.addressByteCount ? ControlCommand.ok : ControlCommand.error
    }
}
