package import GuestMemory
package import VhostVDPABackend
internal import Virtio
package import VirtioNet

/// What a machine is made of.
package struct MachineConfiguration: Sendable {
    package var memory: ByteCount
    package var pages: PageKind
    package var device: DeviceSource
    /// What feeds the guest's driver.
    package var guest: PortSpecification
    /// What stands at the end of a simulated device's wire. A real device has its own.
    package var wire: PortSpecification
    /// Whether the frames that the guest sends are made here, so that each can be told when it comes back.
    package var generatesFrames: Bool { guest.carried(at: .guest) == .generator }
    /// Whether what a simulated device sends comes back from its wire.
    package var wireReturnsFrames: Bool { wire.carried(at: .wire) == .loopback }
    package var persist: PersistPolicy
    /// What is done with rings of which the device does not say where they stood.
    package var lostRings = LostRings.startOver
    /// How many queue pairs the guest's driver uses, each with a thread of its own. More than one takes a device that
    /// has them running as soon as their rings are enabled: a simulated one. A real device's further pairs are
    /// switched on through its control queue (virtio 1.2, section 5.1.6.5.5), which this driver does not use.
    package var queuePairs = 1
    /// The queues that the driver uses.
    var queues: QueueMap { .network(pairs: queuePairs, hasControlQueue: false) }
    /// Descriptors of each queue; the device's maximum limits it.
    package var queueSize: UInt16
    /// The length of generated frames without the virtio header.
    package var frameByteCount: Int
    /// Whether every page of RAM is touched before the device sees it, so that no map pays for it.
    package var isPrefaulted: Bool
    /// Whether RAM may be larger than the memory there is, because hardly any of it will be touched: a model of a
    /// large machine. Otherwise a size that the machine does not have is refused.
    package var isSparse: Bool
    /// How many regions the memory is in; `nil` for what a PC has. Fewer: RAM is one region without a PC's ROMs.
    /// What is missing is plugged in as modules of equal size, half of the memory in all.
    package var regions: Int?
    /// Whether ``isPrefaulted`` leaves the pages apart from each other in the machine's memory.
    package var isFragmented = false

    package init(
        memory: ByteCount = .gibibytes(1), pages: PageKind = .base, device: DeviceSource,
        guest: PortSpecification = .generator, wire: PortSpecification = .loopback,
        persist: PersistPolicy = .auto, queueSize: UInt16 = 256, frameByteCount: Int = 64,
        isPrefaulted: Bool = false, isSparse: Bool = false
    ) {
        self.memory = memory
        self.pages = pages
        self.device = device
        self.guest = guest
        self.wire = wire
        self.persist = persist
        self.queueSize = queueSize
        self.frameByteCount = frameByteCount
        self.isPrefaulted = isPrefaulted
        self.isSparse = isSparse
    }
}
