package import Virtio
package import VirtioDevice
package import VirtioNet

/// What a simulated device is apart from its parent driver: its virtio type, its queues and features, its
/// configuration, and the worker behind them.
///
/// A further kind is a type in a folder beside this file, a case of ``SimulatedDeviceProfile``, and a line below.
package protocol DeviceKind: Sendable {
    var deviceID: VirtioDeviceID { get }
    var queues: QueueMap { get }
    /// The largest ring, in descriptors.
    var maximumQueueSize: UInt16 { get }
    /// What the device offers.
    var features: VirtioFeatures { get }
    /// Those of the negotiated features that the data path goes by.
    var dataPathFeatures: VirtioFeatures { get }
    /// How many descriptors a queue's ring has until the driver says another number.
    func ringSize(ofQueue queue: Int) -> UInt16
    /// The configuration space at creation.
    var configuration: [UInt8] { get }
    /// How many bytes the driver finds, of which the device may have the first alone.
    var configurationByteCount: Int { get }
    /// Writes what the parent driver sets anew each time before somebody reads the configuration.
    func refresh(_ configuration: ConfigurationSpace)
    /// How the driver reads and writes the configuration; `nil` where it is memory to it.
    func configurationRegisters(of configuration: ConfigurationSpace) -> (any ConfigurationRegisters)?
    /// The device looks at its queues when it starts, as if each had been kicked.
    var looksAtStart: Bool { get }
    /// A driver that disables a queue, or enables one whose ring ends beyond the last address, has made a mistake: the device
    /// stands still until the next reset.
    var breaksOnMistakes: Bool { get }
    /// The groups of queues that can be given address spaces of their own, where the parent driver has as many.
    var groupCount: Int { get }
    var addressSpaceCount: Int { get }
    /// The group of a queue, which is below the queues' count.
    func group(ofQueue queue: Int) -> UInt32
    /// The group that a queue's descriptors and rings translate with, where the parent driver has `get_vq_desc_group`.
    func descriptorGroup(ofQueue queue: Int) -> UInt32
    /// Something can stand at the far end of a wire; a device without one settles by itself what becomes of its frames.
    var takesWire: Bool { get }
    /// The size of the ring, at address 0, of a queue that is enabled without one; `nil` where such a queue does not start.
    var sizeAfterReset: UInt16? { get }
    /// It sets NEEDS_RESET where a driver has broken a ring (virtio 1.2, section 2.1.1).
    var asksForReset: Bool { get }

    /// Makes the worker, with every queue stopped and no translation. It reports to `report`, from its own thread.
    ///
    /// `name` is that of its thread; `wire` is dropped where the kind takes none.
    func makeDataPath(
        name: String, wire: consuming WirePort, report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath
}

/// A configuration space behind which there is more than memory. Control thread only.
package protocol ConfigurationRegisters: AnyObject {
    /// `count` bytes from `offset`, which the driver's space has.
    func read(at offset: Int, count: Int) -> [UInt8]
    /// A driver that has set `features`, those that the device has, writes to its space, which has room.
    func write(_ bytes: [UInt8], at offset: Int, features: VirtioFeatures)
    /// The device is reset.
    func reset()
}

extension DeviceKind {
    /// Leaves what the driver has written.
    package func refresh(_ configuration: ConfigurationSpace) {}

    package var sizeAfterReset: UInt16? { nil }

    package var asksForReset: Bool { true }

    /// The largest that there is.
    package func ringSize(ofQueue queue: Int) -> UInt16 { maximumQueueSize }
    /// Those that the device has.
    package var configurationByteCount: Int { configuration.count }
    /// Memory.
    package func configurationRegisters(of configuration: ConfigurationSpace) -> (any ConfigurationRegisters)?
    { nil }
    /// It waits for a kick.
    package var looksAtStart: Bool { false }
    /// It takes it.
    package var breaksOnMistakes: Bool { false }

    /// The queue's own.
    package func descriptorGroup(ofQueue queue: Int) -> UInt32 { group(ofQueue: queue) }
}

extension SimulatedDeviceProfile {
    /// The kind of device that a specification of this profile asks for.
    package func kind(for specification: SimulatedDeviceSpecification) -> any DeviceKind {
        switch self {
        case .standard where specification.parent == .mlx5:
            ControlledCard(queuePairs: specification.queuePairs)
        case .standard: NetworkCard(queuePairs: specification.queuePairs)
        case .vdpasimNet: VdpasimNet(specification.kernel)
        case .qemuNet: QEMUNet()
        }
    }
}
