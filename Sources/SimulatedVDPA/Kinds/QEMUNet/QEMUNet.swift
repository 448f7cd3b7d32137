package import Virtio
package import VirtioDevice
package import VirtioNet

/// `profile=qemu-net`: QEMU's virtio-net-pci with `iommu_platform=on` and a network without offloads, as QEMU 7.2 has it
/// behind vp_vdpa (`scripts/kernel-vm`).
///
/// Frames move as ``NetworkCard``'s do. MRG_RXBUF is offered, and a frame takes one buffer all the same.
package struct QEMUNet: DeviceKind {
    package init() {}

    package var deviceID: VirtioDeviceID { .network }
    package var queues: QueueMap { .network(pairs: 1, hasControlQueue: true) }
    /// What `VP_VDPA_QUEUE_MAX` admits.
    package var maximumQueueSize: UInt16 { 256 }
    /// The control queue has fewer (`virtio_net_add_queue`, hw/net/virtio-net.c).
    package func ringSize(ofQueue queue: Int) -> UInt16 { queues.role(of: queue) == .control ? 64 : 256 }
    package var features: VirtioFeatures {
        [
            .mac, .mergeableReceiveBuffers, .status, .controlQueue, .controlMACAddress, .indirectDescriptors,
            .eventIndex, .version1, .accessPlatform, .ringReset, .controlGuestOffloads, .controlReceive,
            .controlVLAN, .controlReceiveExtra, .guestAnnounce,
        ]
    }
    package var dataPathFeatures: VirtioFeatures { [.indirectDescriptors, .eventIndex] }
    /// The address and the link's status, which is all that these features give a meaning to.
    package var configuration: [UInt8] {
        Array(NetworkConfiguration(mac: .simulated).bytes.prefix(Self.ownByteCount))
    }
    /// The register bank of virtio-pci (`VIRTIO_PCI_REGION_SIZE`), of which vp_vdpa gives all.
    package var configurationByteCount: Int { 4096 }
    private static let ownByteCount = 8
    package func configurationRegisters(
        of configuration: ConfigurationSpace
    ) -> (any ConfigurationRegisters)? {
        QEMURegisters(configuration, byteCount: Self.ownByteCount)
    }
    /// `virtio_device_start_ioeventfd_impl` kicks every queue, hw/virtio/virtio.c.
    package var looksAtStart: Bool { true }
    /// `virtio_pci_common_write` has no other value than 1 for a queue_enable, and `virtio_init_region_cache` maps all of a ring.
    package var breaksOnMistakes: Bool { true }
    package var groupCount: Int { 1 }
    package var addressSpaceCount: Int { 1 }
    package func group(ofQueue queue: Int) -> UInt32 { 0 }
    package var takesWire: Bool { true }

    package func makeDataPath(
        name: String, wire: consuming WirePort, report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath {
        try ControlledDevice(
            name: name, queuePairs: 1, port: wire, commands: .qemu,
            configuration: ConfigurationSpace(configuration), report: report)
    }
}
