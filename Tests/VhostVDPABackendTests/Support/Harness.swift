import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio

extension MapLimits {
    /// A machine of 4 KiB pages where everything is shared and nothing limited.
    static func stub(
        memlock: ByteCount? = nil, shared: [AddressRange<HostAddress>]? = nil,
        process: @escaping () -> Int32 = { 1 }
    ) -> MapLimits {
        MapLimits(
            pageSize: .kibibytes(4), memlockLimit: { memlock }, pinned: { .zero }, sharedMappings: { shared },
            entryLimit: { 2048 }, currentProcess: process)
    }
}

/// A backend on a recording device, with two queues and their eventfds.
final class Harness {
    let device: RecordingDevice
    let addressSpace: FakeAddressSpace
    let backend: VhostVDPABackend
    let queues: [VringSetup]
    /// The kicks and calls of the queues.
    private let events: [SharedEventFD]

    init(
        _ device: RecordingDevice = RecordingDevice(), addressSpace: FakeAddressSpace = FakeAddressSpace(),
        configuration: BackendConfiguration = BackendConfiguration(mapVerification: .never),
        limits: MapLimits = .stub()
    ) throws {
        self.device = device
        self.addressSpace = addressSpace
        backend = try VhostVDPABackend(
            device: device, addressSpace: addressSpace, configuration: configuration, limits: limits,
            logger: .quiet)
        let events = try (0..<4).map { _ in try SharedEventFD() }
        self.events = events
        queues = (0..<2).map { index in
            let base = 0x10_0000 + UInt64(index) * 0x10000
            return VringSetup(
                index: VringIndex(rawValue: UInt32(index)),
                layout: RingLayout(
                    size: 256,
                    addresses: RingAddresses(
                        descriptorArea: .init(rawValue: base), driverArea: .init(rawValue: base + 0x1000),
                        deviceArea: .init(rawValue: base + 0x2000))),
                kick: events[2 * index].descriptor, call: events[2 * index + 1].descriptor)
        }
    }

    deinit { backend.close() }

    /// Starts with features every device here has.
    func start() throws { try backend.start(features: Self.features, queues: queues) }

    static let features: VirtioFeatures = [.version1, .accessPlatform]

    /// The counter of an eventfd, emptied; 0 where nothing was written.
    func takeCounter(_ descriptor: FileDescriptor) -> UInt64 { EventFD.drain(descriptor) }
}
