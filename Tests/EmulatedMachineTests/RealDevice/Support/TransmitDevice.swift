import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import Virtio

/// The device under test without a backend: opened, with whatever maps the test sends, and one transmit queue.
final class TransmitDevice {
    let device: VhostVDPADevice
    /// What the device offers of the backend features.
    let offered: BackendFeatures
    private let kick: EventFD
    private let enablesLast: Bool

    /// Opens it and acknowledges everything offered, IOTLB_PERSIST only where `persists` says so.
    init(persists: Bool) throws {
        device = VhostVDPADevice(try KernelFile(path: try #require(KernelDevice.path)), logger: .quiet)
        kick = try EventFD()
        offered = try device.backendFeatures()
        enablesLast = offered.contains(.enableAfterDriverOK)
        try device.setBackendFeatures(persists ? offered : offered.subtracting(.iotlbPersist))
        try device.setOwner()
    }

    deinit { device.close() }

    /// Maps `page` at `address`.
    func map(_ page: RingPage, at address: UInt64) throws {
        try device.send(IOTLBMessage(.update(page.entry(at: address))))
    }

    /// Unmaps what is at `address`.
    func unmap(_ page: RingPage, at address: UInt64) throws {
        try device.send(IOTLBMessage(.invalidate(page.entry(at: address).range)))
    }

    /// Resets the device, without a word about maps.
    func reset() throws { try device.setStatus(.reset) }

    /// Sets both queues up on the empty rings of `page` at `address`, and lets the device run.
    func start(_ page: RingPage, at address: UInt64) throws {
        page.clear()
        try device.setStatus([.acknowledge, .driver])
        try device.setFeatures(try device.features().intersection([.version1, .accessPlatform]))
        try device.setStatus([.acknowledge, .driver, .featuresOK])
        try page.setUp(on: device, at: address)
        try device.setKick(kick.descriptor, of: 1)
        if !enablesLast { try enable() }
        try device.setStatus([.acknowledge, .driver, .featuresOK, .driverOK])
        if enablesLast { try enable() }
    }

    /// The simulator sends nothing while it cannot receive.
    private func enable() throws {
        for vring: VringIndex in [0, 1] { try device.setEnabled(true, of: vring) }
    }

    /// Has the device look at its transmit queue.
    func signal() { kick.signal() }
}
