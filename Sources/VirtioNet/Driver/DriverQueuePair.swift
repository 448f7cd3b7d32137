internal import GuestMemory
internal import SystemPackage
internal import VirtQueue
internal import WorkerRuntime

/// One queue pair of a guest's driver, on a thread of its own, fed by a port.
///
/// The methods are ``NetworkDriver``'s; they return when the worker has done what they say.
final class DriverQueuePair: Sendable {
    /// Kick and call of the receive queue (0) and of the transmit queue (1).
    let signals: [QueueSignals]
    /// What the pair has done so far; readable on any thread.
    let counters = DriverCounters()

    private let memory: DriverMemory
    let worker: RunningWorker<DriverWorker>

    /// Lays out the rings in `memory`, posts the receive buffers and starts the thread.
    init(
        name: String, port: consuming sending GuestPort, memory: DriverMemory,
        configuration: DriverConfiguration
    ) throws(VirtioNetError) {
        try memory.checkRoom(for: configuration)
        self.memory = memory
        do throws(Errno) {
            signals = try [QueueSignals(), QueueSignals()]
        } catch {
            throw VirtioNetError(.noEventDescriptor, errno: error)
        }
        let (counters, signals, transfer) = (counters, signals, TransferBox<GuestPort>(port))
        do throws(WorkerStartFailure<VirtioNetError>) {
            worker = try RunningWorker(name: name) { commands throws(VirtioNetError) in
                try DriverWorker(
                    port: transfer.take() ?? .none, commands: commands, memory: memory,
                    configuration: configuration, signals: signals, counters: counters)
            }
        } catch {
            throw VirtioNetError(error)
        }
    }

    /// Why the worker moves no more frames. Any thread.
    var failure: WorkerFailure? { worker.failure }

    /// Where the device finds queue `index` when the driver's queues have `size` descriptors.
    func layout(_ index: Int, size: UInt16, format: RingFormat) throws(VirtQueueError) -> RingLayout {
        try memory.layout(index, size: size, format: format)
    }

    /// Lets the generator send, `limit` frames at the most.
    func startTraffic(limit: UInt64 = .max) {
        worker.perform { $0.generator.start(limit: limit) }
    }

    /// Has the generator send no more. Frames on their way still come back.
    func stopTraffic() {
        worker.perform { $0.generator.stop() }
    }

    func reinitialise(
        _ configuration: DriverConfiguration, abandonsInFlight: Bool
    ) throws(VirtioNetError) {
        try memory.checkRoom(for: configuration)
        let result = worker.perform { worker in
            do throws(VirtioNetError) {
                try worker.reinitialise(configuration, abandonsInFlight: abandonsInFlight)
                return Result<Void, VirtioNetError>.success(())
            } catch {
                return .failure(error)
            }
        }
        try result?.get()
    }

    /// Gives up the generated frames that are inside the device.
    func abandonInFlight() {
        worker.perform { $0.abandonInFlight() }
    }

    /// Whether the device has broken a ring.
    func findsBrokenRing() -> Bool {
        worker.perform { $0.findsBrokenRing() } ?? false
    }

    /// Takes frame buffers from `buffers` from now on; those of the first block come back one by one.
    func useSecondBuffers(_ buffers: DriverBuffers) {
        worker.perform { $0.pool.useSecond(buffers) }
    }

    /// Takes frame buffers from the first block again; ``dropSecondBuffers()`` tells when the second is free.
    func useFirstBuffers() {
        worker.perform { $0.pool.useFirst() }
    }

    /// Gives the second block back. `false` while the device still has a buffer of it.
    func dropSecondBuffers() -> Bool {
        worker.perform { $0.dropSecondBuffers() } ?? true
    }

    /// Makes the worker take what the device has returned and publish its counts.
    func synchronise() {
        worker.perform { $0.synchronise() }
    }

    /// Returns when what the worker has recorded is on its way to the file.
    func flushCapture() {
        worker.perform { $0.recorder?.flush() }
    }

    /// Ends the worker, and returns when its port is closed. Every later call does nothing.
    func shutdown() { worker.shutdown() }
}
