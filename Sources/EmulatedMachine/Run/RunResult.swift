package import GuestMemory
package import VhostVDPA
package import VhostVDPABackend
package import Virtio
package import VirtioNet

/// What a run did and found.
package struct RunResult: Sendable {
    package let ending: RunEnding
    package let negotiated: NegotiatedDevice
    /// The backend features in force at the end.
    package let acknowledgedBackendFeatures: BackendFeatures
    /// The virtio features of the last start.
    package let acceptedFeatures: VirtioFeatures
    /// All stops and starts.
    package let cycles: CycleStatistics
    /// Stops, the last one included, at which a device that has acknowledged SUSPEND did not say where its rings stood.
    package let failedSuspends: Int
    /// Stops, the last one included, at which the driver started over with empty rings, as the device did not say where
    /// they stood. Those of a device that asked for a reset are not among them.
    package let ringRestarts: Int
    /// Stops at which the generator had sent all that it was to send, and had it back.
    package let idleStops: Int
    /// What the wait for the frames on their way came to.
    package let settlement: RunSettlement
    package let times: RunTimes
    /// What became of the frames of every queue, on both its sides.
    package let accounts: [QueueAccount]
    /// The generator's final account; what is outstanding in it is lost, unless a counter names it.
    package let frames: FrameCounts
    /// The driver's queues.
    package let received: QueueCounts
    package let transmitted: QueueCounts
    /// The device's own account of its queues, both added up: a simulated device's since it was made, a real
    /// one's over the run, where its parent keeps one.
    package let device: QueueCounts?
    /// Chains or rings that broke a rule, as a simulated device counted them, and a real one's errors.
    package let deviceErrors: UInt64
    /// Accesses that a simulated device's IOTLB did not permit, and the latest of their addresses.
    package let faults: Int
    package let recentFaults: [TranslationFault]
    /// How often the device asked for a reset and got one.
    package let recoveries: Int
    /// TAPs whose network namespace was deleted meanwhile.
    package let lostPorts: [PortSpecification]
    /// Ports that refused frames, or a read, and whose interface was no longer where they name it in the end.
    package let movedPorts: [PortSpecification]
    /// What was recorded at the machine's ends.
    package let captures: [PortCapture]
    /// What the process held after the first start and after the last one, both times with the device running.
    package let firstResources: ProcessResources
    package let lastResources: ProcessResources
    /// What the process's threads got of the processors while frames moved, where the kernel says it.
    package let processorTime: ProcessorTime?
    /// All device calls, the first map included.
    package let counts: DeviceCallCounts
}
