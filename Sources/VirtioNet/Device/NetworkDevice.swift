package import GuestMemory
internal import IOUring
internal import Synchronization
package import SystemPackage
package import VirtQueue

/// A simulated network device's data path: queue 0 receives, queue 1 transmits, queue 2 controls where the wire
/// port is a ``WirePort/simulator(_:)``; a worker thread with an io_uring of its own serves them.
///
/// The methods are called on the control thread and return when the worker has done what they say. More queue
/// pairs are more workers, one a pair, behind the same methods.
package final class NetworkDevice: DataPath {
    private let mailbox: Mailbox<DeviceWorker>
    private let isShutDown = Atomic<Bool>(false)
    private let counters = [QueueCounters(), QueueCounters(), QueueCounters()]
    package let configurationSpace: ConfigurationSpace?

    /// The number of queues: two a pair, and one pair.
    package static let queueCount = 2

    /// Starts the worker, which serves `port`.
    ///
    /// `report` is called on the worker's thread and must not wait for anything, least of all for this device.
    package init(
        name: String, port: consuming sending WirePort, report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        do throws(Errno) {
            mailbox = try Mailbox()
        } catch {
            throw VirtioNetError(.noEventDescriptor, errno: error)
        }
        configurationSpace = port.configurationSpace
        let (mailbox, counters, parcel) = (mailbox, counters, Parcel<WirePort>(port))
        try WorkerThread.start(name: name) { () throws(VirtioNetError) in
            try DeviceWorker(
                port: parcel.take() ?? .none, mailbox: mailbox,
                receive: DeviceQueueState(index: 0, counters: counters[0], report: report),
                transmit: DeviceQueueState(index: 1, counters: counters[1], report: report),
                control: DeviceQueueState(index: 2, counters: counters[2], report: report))
        } run: { worker in
            worker.run(mailbox)
        }
    }

    deinit { shutdown() }

    /// What queue `index` has done so far. Any thread.
    package func counts(_ index: Int) -> QueueCounts { counters[index].snapshot }

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        mailbox.perform { worker in
            for index in queues { worker.withQueue(index) { $0.replaceTable(entries) } }
        }
    }

    package func startQueue(_ index: Int, layout: SplitQueueLayout, features: VirtQueueFeatures, base: UInt16)
    {
        let configuration = DeviceQueueState.Configuration(layout: layout, features: features)
        mailbox.perform { worker in
            worker.takeEarlierKicks()
            _ = worker.simulatorWork.release()
            worker.withQueue(index) { $0.start(configuration, base: base) }
        }
    }

    package func stopQueue(_ index: Int) -> UInt16 {
        mailbox.perform { worker in worker.withQueue(index) { $0.stop() } } ?? 0
    }

    package func position(of index: Int) -> UInt16 {
        mailbox.perform { worker in worker.withQueue(index) { $0.position } } ?? 0
    }

    package func setKick(_ descriptor: FileDescriptor?, queue: Int) {
        mailbox.perform { worker in worker.loop.bind(descriptor, queue: queue) }
    }

    package func setCall(_ descriptor: FileDescriptor?, queue: Int) {
        mailbox.perform { worker in
            worker.withQueue(queue) { $0.call = descriptor.flatMap { try? EventFD(duplicating: $0) } }
        }
    }

    package func kick(_ queue: Int) {
        mailbox.perform { worker in worker.kick(queue) }
    }

    package func holdKicks() { mailbox.perform { worker in worker.simulatorWork.hold() } }

    package func releaseKicks() -> Bool {
        guard configurationSpace != nil else { return true }
        return mailbox.perform { worker in
            worker.takeEarlierKicks()
            return worker.simulatorWork.release()
        } ?? false
    }

    /// Returns when the worker has done everything that was asked of it and sleeps, so that what it has not done by
    /// then it will not do without another kick. Not for a device under steady traffic, which never rests.
    package func settle() {
        // What an earlier letter asked for begins after the letter: only a sleep from now on counts.
        mailbox.perform { worker in worker.forgetSleep() }
        while mailbox.perform({ worker in worker.isAtRest }) == false {}
    }

    package func shutdown() {
        guard !isShutDown.exchange(true, ordering: .relaxed) else { return }
        mailbox.perform { worker in worker.isEnding = true }
    }
}
