package import GuestMemory
internal import Logging
package import SimulatedVDPA
internal import VhostVDPA
internal import Virtio
internal import VirtioDevice
package import VirtioNet
internal import WorkerRuntime

/// A simulated vDPA device with the data path behind it.
package final class SimulatedDevice {
    package let device: SimulatedVDPADevice
    package let network: any NetworkDataPath

    /// Makes the device; its wire is `port`.
    init(
        _ specification: SimulatedDeviceSpecification, port: consuming sending WirePort, logger: Logger
    ) throws(MachineError) {
        do {
            device = try SimulatedVDPADevice(specification, wire: port, logger: logger)
        } catch let error as VirtioNetError {
            throw .network(error)
        } catch {
            throw .simulation("the simulated device could not be made: \(error)")
        }
        guard let network = device.network else {
            throw .simulation("the simulated device carries no frames")
        }
        self.network = network
    }

    /// What the queues that carry frames have done so far, as the device counts it.
    package var counts: QueueCounts {
        network.queues.frameQueues.reduce(into: QueueCounts()) { $0 += network.counts($1) }
    }

    /// Chains and rings of those queues that broke a rule. A port that refuses is an error of its queue as well, and not
    /// one of these.
    var ringErrors: UInt64 {
        network.queues.frameQueues.reduce(0) { sum, queue in
            let (errors, account) = (network.counts(queue).errors, network.account(queue))
            let hasPortErrors = account.lastRefusal != 0 && account.refused == 0
            return sum + (hasPortErrors ? account.malformed : errors - min(errors, account.refused))
        }
    }

    /// Accesses that the device's IOTLB did not permit.
    package var faultCount: Int { device.faultCount }

    /// The addresses of the latest of them, oldest first.
    package var recentFaults: [TranslationFault] { device.recentFaults }

    /// Ends the workers.
    func shutdown() { network.shutdown() }
}
