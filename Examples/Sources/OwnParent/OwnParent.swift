package import GuestMemory
package import SimulatedVDPA
package import SystemPackage
internal import VhostVDPA
package import VirtQueue
package import Virtio

/// A parent driver of one's own: a block device of two queues with an IOMMU on the device, which takes one entry at a time
/// (`dma_map`). It keeps everything that a parent keeps, and no worker serves its queues.
package final class OwnParent: ParentDriver {
    /// What the driver has set of a queue.
    private struct Queue {
        var size: UInt32 = 64
        var addresses = RingAddresses.zero
        var state = QueueState.initial(.split)
        var isReady = false
        var call: EventFile?
    }

    package let description = ParentDescription(
        deviceID: .block, queueCount: 2, maximumQueueSize: 64, configurationSize: 8, mapOperation: .dmaMap,
        operations: [.suspend, .resume, .resetMap, .queueSize], usesVirtualAddresses: true)
    package let deviceFeatures: VirtioFeatures = [.version1, .accessPlatform]
    package private(set) var status: DeviceStatus = []
    /// What is mapped: what a worker of this device would translate by.
    package private(set) var translations = IOTLB()

    private var features: VirtioFeatures = []
    private var queues = [Queue](repeating: Queue(), count: 2)
    private var kicks = [EventFile?](repeating: nil, count: 2)
    private var configuration = [UInt8](repeating: 0, count: 8)
    private var isSuspended = false
    private let keepsStatus: Bool

    /// Makes the device. One that `keepsStatus` has a bug: a reset leaves its status as it was.
    package init(keepsStatus: Bool = false) { self.keepsStatus = keepsStatus }

    // MARK: Negotiation

    package func setDriverFeatures(_ features: VirtioFeatures) throws(Errno) {
        guard features.contains(.accessPlatform) else { throw .invalidArgument }
        self.features = features.intersection(deviceFeatures)
    }

    package func setStatus(_ status: DeviceStatus) { self.status = status }

    /// The maps stay: `resetMap` is what takes them.
    package func reset() {
        if !keepsStatus { status = [] }
        features = []
        isSuspended = false
        queues = [Queue](repeating: Queue(), count: queues.count)
    }

    package func suspend() { isSuspended = true }

    package func resume() { isSuspended = false }

    // MARK: Configuration space

    package func configuration(at offset: Int, count: Int) -> [UInt8] {
        Array(configuration[offset..<offset + count])
    }

    package func setConfiguration(_ bytes: [UInt8], at offset: Int) {
        configuration.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    // MARK: Queues

    package func setQueueSize(_ size: UInt32, queue: Int) { queues[queue].size = size }

    package func queueSize(_ queue: Int) -> UInt32 { queues[queue].size }

    package func setQueueAddresses(_ addresses: RingAddresses, queue: Int) {
        queues[queue].addresses = addresses
    }

    package func setQueueState(_ state: QueueState, queue: Int) { queues[queue].state = state }

    package func queueState(_ queue: Int) -> QueueState { queues[queue].state }

    package func setQueueReady(_ isReady: Bool, queue: Int) { queues[queue].isReady = isReady }

    package func setKick(_ file: EventFile?, queue: Int) { kicks[queue] = file }

    package func setCallback(_ file: EventFile?, queue: Int) { queues[queue].call = file }

    // MARK: Maps

    package func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno) {
        do throws(IntervalOverlap<IOVirtualAddress>) {
            try translations.insert(entry)
        } catch {
            throw .fileExists
        }
    }

    package func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32) {
        translations.removeAll(touching: range)
    }

    package func resetMap(addressSpace: UInt32) { translations.removeAll() }
}
