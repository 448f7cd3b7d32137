internal import GuestMemory
internal import LinuxHost
package import SystemPackage
internal import VirtQueue
internal import Virtio

/// virtio-vdpa with a network driver on top, inside the simulated kernel (`drivers/virtio/virtio_vdpa.c`).
///
/// It calls the parent as vhost-vdpa does, with one difference that matters: it maps nothing. Its rings and buffers
/// are the kernel's own memory, and it hands over the addresses that the DMA API has for them, which an on-chip IOMMU
/// only reaches in its 1:1 state. Control thread only.
package final class VirtioVDPADriver {
    private static let ringSize: UInt16 = 16
    private static let bufferByteCount = 2048
    private static let receiveBufferCount = 8
    /// `struct virtio_net_hdr_v1`.
    private static let headerByteCount = 12

    private let parent: SimulatedParent
    private let pages: KernelPages
    /// What the device calls the pages' first byte.
    private let address: IOVirtualAddress
    private let kicks: [EventFile]
    private let call: EventFile
    private let buffersOffset: Int
    private var receive: SplitDriverQueue
    private var transmit: SplitDriverQueue
    /// The receive buffers that the device does not have.
    private var ownBuffers = Array(0..<receiveBufferCount)
    private var isRemoved = false

    /// Probes: resets the device, sets up both queues of the first pair and starts it, with whatever errno the parent
    /// objects. A probe that fails leaves the device reset.
    package init(_ parent: SimulatedParent) throws(Errno) {
        self.parent = parent
        guard let geometry = try? RingGeometry(size: Self.ringSize) else { throw .invalidArgument }
        let page = HostPage.byteCount
        buffersOffset = (2 * geometry.byteCount + page - 1) / page * page
        let buffers = (Self.receiveBufferCount + 1) * Self.bufferByteCount
        pages = try KernelPages(count: (buffersOffset + buffers + page - 1) / page)
        kicks = [try EventFile(), try EventFile()]
        call = try EventFile()
        do throws(VirtQueueError) {
            receive = try unsafe SplitDriverQueue(size: Self.ringSize, features: [], memory: pages.pointer(0))
            transmit = try unsafe SplitDriverQueue(
                size: Self.ringSize, features: [], memory: pages.pointer(geometry.byteCount))
        } catch {
            throw .invalidArgument
        }
        try parent.reset()
        address = try parent.mapKernelMemory(pages.range)
        do throws(Errno) {
            try start(geometry)
        } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    /// Unbinds: resets the device and takes the memory back. A second call does nothing.
    package func remove() {
        guard !isRemoved else { return }
        isRemoved = true
        try? parent.reset()
        for queue in 0..<2 {
            parent.setKick(nil, queue: queue)
            parent.setCallback(nil, queue: queue)
        }
        parent.unmapKernelMemory(pages.range)
    }

    private func start(_ geometry: RingGeometry) throws(Errno) {
        parent.setStatus([.acknowledge, .driver])
        let features: VirtioFeatures = [.version1, .accessPlatform]
        try parent.setDriverFeatures(features.intersection(parent.deviceFeatures))
        parent.setStatus([.acknowledge, .driver, .featuresOK])
        for queue in 0..<2 {
            let layout = geometry.layout(at: advanced(queue * geometry.byteCount))
            parent.setCallback(call, queue: queue)
            parent.setQueueSize(UInt32(layout.size), queue: queue)
            try parent.setQueueAddresses(layout.addresses, queue: queue)
            try parent.setQueueState(.initial(.split), queue: queue)
            parent.setKick(kicks[queue], queue: queue)
            parent.setQueueReady(true, queue: queue)
        }
        parent.setStatus([.acknowledge, .driver, .featuresOK, .driverOK])
    }

    private func advanced(_ offset: Int) -> IOVirtualAddress {
        IOVirtualAddress(rawValue: address.rawValue + UInt64(offset))
    }

    // MARK: Frames

    /// Sends `count` broadcast frames, one after the other, and returns how many came back as they were sent.
    ///
    /// A frame is waited for until it is there, the device reports a fault or breaks, or `patience` is over; the first
    /// that does not come ends the exchange.
    package func exchange(frames count: Int, patience: Duration = .seconds(60)) -> Int {
        for number in 0..<count {
            let frame = Self.frame(number)
            guard (try? exchange(frame, until: .now + patience)) == true else { return number }
        }
        return count
    }

    private func exchange(
        _ frame: [UInt8], until deadline: ContinuousClock.Instant
    ) throws(VirtQueueError) -> Bool {
        let faults = parent.parentDiagnostics.faultCount
        refill()
        let offset = bufferOffset(Self.receiveBufferCount)
        pages.store(frame, at: offset)
        guard transmit.add(readable: segment(offset, frame.count), token: 0) else { return false }
        if transmit.publish() { kicks[1].signal() }
        while true {
            while try transmit.reap() != nil {}
            if let used = try receive.reap() {
                ownBuffers.append(Int(used.token))
                let bytes = pages.bytes(at: bufferOffset(Int(used.token)), count: Int(used.byteCount))
                // The header is the device's to write; what follows it is the frame's.
                return bytes.dropFirst(Self.headerByteCount) == frame.dropFirst(Self.headerByteCount)
            }
            let state = parent.parentDiagnostics
            guard state.faultCount == faults, !state.needsReset, ContinuousClock.now < deadline else {
                return false
            }
            call.wait(milliseconds: 20)
        }
    }

    /// Lends every receive buffer that is the driver's to the device.
    private func refill() {
        for buffer in ownBuffers {
            _ = receive.add(
                writable: segment(bufferOffset(buffer), Self.bufferByteCount), token: UInt32(buffer))
        }
        ownBuffers = []
        if receive.publish() { kicks[0].signal() }
    }

    private func bufferOffset(_ buffer: Int) -> Int { buffersOffset + buffer * Self.bufferByteCount }

    private func segment(_ offset: Int, _ byteCount: Int) -> DriverSegment {
        DriverSegment(address: advanced(offset), byteCount: UInt32(byteCount))
    }

    /// A header that asks for nothing, then a broadcast frame of an experimental type that says which one it is.
    private static func frame(_ number: Int) -> [UInt8] {
        let payload = (0..<46 + number % 1400).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
        return [UInt8](repeating: 0, count: headerByteCount) + [UInt8](repeating: 0xff, count: 6)
            + [0x52, 0x54, 0, 0xab, 0xcd, 0xef, 0x88, 0xb5] + payload
    }
}
