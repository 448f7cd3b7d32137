internal import Glibc
internal import GuestMemory
package import SystemPackage
internal import VirtQueue

/// A network driver small enough for one page: a receive and a transmit ring of eight, their buffers, a frame.
///
/// One page, because a device that has lost its maps reads what it takes the address for. On an on-chip IOMMU
/// that is the machine's own memory at that number (identity), so the page is mapped at the *physical address of
/// another page of ours*, which is zero: what the device finds there is a ring without work, and it writes
/// nothing. Without the privilege to learn that address no traffic is made at all where it matters.
package final class OnePageDriver {
    static let size: UInt16 = 8
    private static let receiveRing = 0
    private static let transmitRing = 512
    private static let frame = 1024
    package static let receiveBuffers = 1536
    private static let receiveBufferBytes = 256
    private static let receiveBufferCount = 4
    static let controlRing = 2560
    static let controlCommand = 3072
    static let controlAnswer = 3200

    package let page: TestPages
    private let decoy: TestPages
    /// Where the page is mapped.
    package let iova: UInt64
    private let quietMilliseconds: Int
    private let patienceMilliseconds: Int
    private let settleDevice: (() -> Void)?
    private let isInterrupted: () -> Bool
    private let features: UInt64
    private var receive: SplitDriverQueue
    private var transmit: SplitDriverQueue
    private let receiveKick: EventCounter
    let transmitKick: EventCounter
    let transmitCall: EventCounter

    package init(_ opener: DeviceOpener, _ traits: DeviceTraits) throws(RuleInterruption) {
        quietMilliseconds = opener.quietMilliseconds
        patienceMilliseconds = opener.patienceMilliseconds
        settleDevice = opener.settle
        isInterrupted = opener.isInterrupted
        features = traits.driverFeatures
        page = try TestPages(pages: 1)
        page.settle()
        decoy = try TestPages(pages: 1)
        decoy.settle()
        guard let iova = try traits.harmlessAddress(decoy) else {
            throw .notApplicable(
                reason: "the physical address of a page cannot be read: run as root, or the device could"
                    + " touch the machine's memory")
        }
        self.iova = iova
        receiveKick = try EventCounter()
        transmitKick = try EventCounter()
        transmitCall = try EventCounter()
        do throws(VirtQueueError) {
            receive = try unsafe SplitDriverQueue(
                size: Self.size, features: [], memory: page.pointer(Self.receiveRing))
            transmit = try unsafe SplitDriverQueue(
                size: Self.size, features: [], memory: page.pointer(Self.transmitRing))
        } catch {
            throw .notAsked(reason: "no ring: \(error)")
        }
        // The net header of a device with VERSION_1, then a broadcast frame of an experimental type.
        page.store(
            [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 0xff, count: 6)
                + [0x52, 0x54, 0, 0xab, 0xcd, 0xef, 0x88, 0xb5] + [UInt8](repeating: 0x5a, count: 46),
            at: Self.frame)
    }

    /// Maps the page, with the address it will be used at.
    package func map(_ client: RuleClient, asid: UInt32 = 0) -> Errno? {
        client.update(iova, page, asid: asid)
    }

    package func unmap(_ client: RuleClient, asid: UInt32 = 0) -> Errno? {
        client.send(.invalidate, iova: iova, size: UInt64(page.byteCount), asid: asid)
    }

    /// Empty rings, or those of before at the positions given, receive buffers where wanted, and the device brought
    /// to DRIVER_OK with both queues enabled.
    package func start(
        _ client: RuleClient, at address: UInt64? = nil, callBound: Bool = true,
        receiveBuffers: Bool = true, goingOnAt bases: [UInt32]? = nil,
        beforeDriverOK: (OnePageDriver) throws(RuleInterruption) -> Void = { _ in }
    ) throws(RuleInterruption) {
        let address = address ?? iova
        base = address
        if bases == nil {
            receive.reset()
            transmit.reset()
            if receiveBuffers { refill() }
        }
        try client.setStatus(upTo: 0xb, features: features)
        for (queue, ring) in [(UInt32(0), Self.receiveRing), (1, Self.transmitRing)] {
            try setUp(
                client, queue: queue, ring: address + UInt64(ring), base: bases?[Int(queue)] ?? 0)
        }
        try expect(
            "SET_VRING_KICK 0",
            client.setVring(Request.setVringKick, 0, file: receiveKick.descriptor.rawValue))
        try bindKick(client)
        if callBound {
            try expect(
                "SET_VRING_CALL 1",
                client.setVring(Request.setVringCall, 1, file: transmitCall.descriptor.rawValue))
        }
        for queue in UInt32(0)..<2 { try enable(client, queue: queue, 1) }
        try beforeDriverOK(self)
        try expect("SET_STATUS 0xf", client.setStatus(0xf))
    }

    /// Size, base and addresses of a ring of ours at `address`.
    package func setUp(
        _ client: RuleClient, queue: UInt32, ring address: UInt64, base: UInt32 = 0
    ) throws(RuleInterruption) {
        guard let geometry = try? RingGeometry(size: Self.size) else { return }
        try expect(
            "SET_VRING_NUM \(queue)", client.setVring(Request.setVringNum, queue, UInt32(Self.size)))
        try expect("SET_VRING_BASE \(queue)", client.setVring(Request.setVringBase, queue, base))
        try expect(
            "SET_VRING_ADDR \(queue)",
            client.setAddresses(
                queue, descriptors: address, used: address + UInt64(geometry.deviceAreaOffset),
                avail: address + UInt64(geometry.driverAreaOffset)))
    }

    package func enable(_ client: RuleClient, queue: UInt32, _ value: UInt32) throws(RuleInterruption) {
        try expect(
            "SET_VRING_ENABLE \(queue) \(value)", client.setVring(Request.setVringEnable, queue, value))
    }

    package func bindKick(_ client: RuleClient) throws(RuleInterruption) {
        try expect(
            "SET_VRING_KICK 1",
            client.setVring(Request.setVringKick, 1, file: transmitKick.descriptor.rawValue))
    }

    private var base: UInt64 = 0

    private func refill() {
        for buffer in 0..<Self.receiveBufferCount where receive.freeDescriptors > 4 {
            let offset = Self.receiveBuffers + buffer * Self.receiveBufferBytes
            let segment = DriverSegment(
                address: IOVirtualAddress(rawValue: base + UInt64(offset)),
                byteCount: UInt32(Self.receiveBufferBytes))
            _ = receive.add(writable: segment, token: UInt32(buffer))
        }
        _ = receive.publish()
    }

    /// Takes back what was received, so that there is always room for another frame.
    private func repost() {
        while let chain = try? receive.reap() {
            let offset = Self.receiveBuffers + Int(chain.token) * Self.receiveBufferBytes
            let segment = DriverSegment(
                address: IOVirtualAddress(rawValue: base + UInt64(offset)),
                byteCount: UInt32(Self.receiveBufferBytes))
            _ = receive.add(writable: segment, token: chain.token)
        }
        _ = receive.publish()
    }

    /// Puts a frame into the transmit ring, without a kick.
    package func post(refillingReceive: Bool = true) {
        if refillingReceive { repost() }
        let segment = DriverSegment(
            address: IOVirtualAddress(rawValue: base + UInt64(Self.frame)), byteCount: 72)
        _ = transmit.add(readable: segment, token: 1)
        _ = transmit.publish()
    }

    /// Kicks the transmit queue alone.
    package func kickTransmit() { transmitKick.signal() }

    /// Kicks both queues, as a driver does after a start. vdpa_sim serves both on either's kick; others do not.
    package func kick() {
        receiveKick.signal()
        transmitKick.signal()
    }

    /// The frames that came back as used since the last time.
    private func reap() throws(RuleInterruption) -> Int {
        var count = 0
        do throws(VirtQueueError) {
            while try transmit.reap() != nil { count += 1 }
        } catch {
            throw .failed(expected: "a used ring that can be", seen: "\(error)")
        }
        return count
    }

    /// Waits until `count` frames are used, or long enough, or the device has settled; gives how many are.
    package func used(waitingFor count: Int = 1, milliseconds: Int? = nil) throws(RuleInterruption) -> Int {
        if let settleDevice {
            settleDevice()
            return try reap()
        }
        let milliseconds = milliseconds ?? patienceMilliseconds
        var seen = try reap()
        var waited = 0
        while seen < count, waited < milliseconds, !isInterrupted() {
            pause()
            waited += 5
            seen += try reap()
        }
        return seen
    }

    /// Ends the rule unless the transmit ring's used index gets to `expected`, which may be more than the driver has given.
    func expectUsedIndex(_ expected: UInt16, _ when: String) throws(RuleInterruption) {
        guard let geometry = try? RingGeometry(size: Self.size) else { return }
        let offset = Self.transmitRing + geometry.deviceAreaOffset + 2
        func seen() -> UInt16 { UInt16(page.byte(at: offset)) | UInt16(page.byte(at: offset + 1)) << 8 }
        settleDevice?()
        var waited = 0
        while settleDevice == nil, seen() != expected, waited < patienceMilliseconds, !isInterrupted() {
            pause()
            waited += 5
        }
        try expect("\(when): the used index", seen(), equals: expected)
    }

    /// Lets 5 ms go by: the wait between two looks at a ring.
    func pause() { _ = Glibc.poll(nil, 0, 5) }

    /// Lets the device go to sleep: one that has just served a frame may find the next without a kick.
    package func rest() {
        if let settleDevice { return settleDevice() }
        for _ in 0..<(quietMilliseconds + 4) / 5 where !isInterrupted() { pause() }
    }

    /// Ends the rule unless the posted frame is used.
    package func expectProgress(_ when: String) throws(RuleInterruption) {
        guard try used() == 0 else { return }
        throw .failed(expected: "\(when): the frame is used", seen: "\(when): no progress")
    }

    /// Ends the rule if the device takes a posted frame within a while.
    package func expectNoProgress(_ when: String) throws(RuleInterruption) {
        guard try used(milliseconds: quietMilliseconds) > 0 else { return }
        throw .failed(expected: "\(when): no progress", seen: "\(when): the frame is used")
    }

    /// Posts a frame, kicks, and says whether the device takes it.
    package func transmits(within milliseconds: Int) throws(RuleInterruption) -> Bool {
        post()
        kick()
        return try used(milliseconds: milliseconds) > 0
    }

    /// Posts a frame, kicks, and ends the rule unless the device takes it.
    package func expectTraffic(_ when: String) throws(RuleInterruption) {
        post()
        kick()
        try expectProgress(when)
    }

    /// Posts a frame, kicks, and ends the rule if the device takes it.
    package func expectNoTraffic(_ when: String) throws(RuleInterruption) {
        post()
        kick()
        try expectNoProgress(when)
    }
}
