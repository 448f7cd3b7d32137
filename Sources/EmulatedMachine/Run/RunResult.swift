package import GuestMemory
package import VhostVDPA
package import VhostVDPABackend
package import VirtioNet

/// What a run did and found.
package struct RunResult: Sendable {
    package let negotiated: NegotiatedDevice
    /// The virtio features of the last start.
    package let acceptedFeatures: DeviceFeatures
    /// One for each stop and start, in order.
    package let cycles: [CycleMeasurement]
    /// The time the device ran, without its stops and starts.
    package let runningTime: Duration
    /// The generator's final account; what is outstanding in it is lost.
    package let frames: FrameCounts
    /// The driver's queues.
    package let received: QueueCounts
    package let transmitted: QueueCounts
    /// The device's own account of its queues, both added up: a simulated device's since it was made, a real
    /// one's over the run, where its parent keeps one.
    package let device: QueueCounts?
    /// Accesses that a simulated device's IOTLB did not permit, and the latest of their addresses.
    package let faults: Int
    package let recentFaults: [TranslationFault]
    /// How often the device asked for a reset and got one.
    package let recoveries: Int
    /// What the process held after the first start and after the last one, both times with the device running.
    package let firstResources: ProcessResources
    package let lastResources: ProcessResources
    /// All device calls, the first map included.
    package let counts: DeviceCallCounts
    /// Whether it ended before its time because somebody asked.
    package let wasInterrupted: Bool
}
