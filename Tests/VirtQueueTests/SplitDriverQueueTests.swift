import GuestMemory
import Testing
import VirtQueue
import Virtio

/// The driver's free list, and what it does not believe of a device.
@Suite
struct SplitDriverQueueTests {
    static let one = DriverSegment(address: IOVirtualAddress(rawValue: HandRing.buffer), byteCount: 10)

    @Test("A ring takes as many descriptors as it has, no more", arguments: [1, 2, 8])
    func full(size: UInt16) throws {
        let ring = try HandRing(size: size)
        var driver = try ring.driver()
        for token in 0..<UInt32(size) { check(driver.add(readable: Self.one, token: token)) }
        check(driver.freeDescriptors == 0 && driver.inFlight == Int(size))
        check(!driver.add(readable: Self.one, token: 9))
        check(!driver.add(writable: Self.one, token: 9))
        check(!driver.add(readable: Self.one, writable: Self.one, token: 9))
        #expect(ring.availIndex == 0, "visible before it is published")
        check(driver.publish())
        #expect(ring.availIndex == size)
    }

    @Test("A pair needs two free descriptors")
    func pair() throws {
        let ring = try HandRing(size: 4)
        var driver = try ring.driver()
        check(driver.add(readable: Self.one, writable: Self.one, token: 0))
        check(driver.add(readable: Self.one, token: 1))
        check(driver.freeDescriptors == 1)
        check(!driver.add(readable: Self.one, writable: Self.one, token: 2))
    }

    @Test("Chains come back in any order, with the device's byte count")
    func reap() throws {
        let ring = try HandRing(size: 8)
        var driver = try ring.driver()
        for token in 0..<3 as Range<UInt32> { check(driver.add(writable: Self.one, token: 100 + token)) }
        _ = driver.publish()
        let heads = (0..<3).map { ring.memory.number(at: ring.geometry.driverAreaOffset + 4 + 2 * $0, 2) }
        try check(driver.reap() == nil)
        ring.giveBack(UInt32(heads[2]), 10)
        ring.giveBack(UInt32(heads[0]), 0)
        check(driver.hasUsed())
        try check(driver.reap() == UsedChain(token: 102, byteCount: 10))
        try check(driver.reap() == UsedChain(token: 100, byteCount: 0))
        try check(driver.reap() == nil)
        check(driver.inFlight == 1 && driver.freeDescriptors == 7)
    }

    @Test("A chain gives all of its descriptors back")
    func descriptorsOfAChain() throws {
        let ring = try HandRing(size: 4)
        var driver = try ring.driver()
        for _ in 0..<3 {
            check(driver.add(readable: Self.one, writable: Self.one, token: 0))
            let slot = Int(driver.availIndex &- 1) % 4
            _ = driver.publish()
            let offset = ring.geometry.driverAreaOffset + 4 + 2 * slot
            ring.giveBack(UInt32(ring.memory.number(at: offset, 2)), 0)
            try check(driver.reap() != nil)
            check(driver.freeDescriptors == 4)
        }
    }

    @Test("A chain may stay with the device while others go round many times")
    func longLived() throws {
        let ring = try HandRing(size: 4)
        var driver = try ring.driver()
        check(driver.add(writable: Self.one, token: 7))
        _ = driver.publish()
        let old = UInt32(ring.memory.number(at: ring.geometry.driverAreaOffset + 4, 2))
        for round in 0..<70_000 as Range<UInt32> {
            check(driver.add(writable: Self.one, token: 1000 + round))
            let slot = Int(driver.availIndex &- 1) % 4
            _ = driver.publish()
            let offset = ring.geometry.driverAreaOffset + 4 + 2 * slot
            ring.giveBack(UInt32(ring.memory.number(at: offset, 2)), 1)
            let used = try driver.reap()
            guard used?.token == 1000 + round else {
                Issue.record("round \(round): \(String(describing: used))")
                return
            }
        }
        ring.giveBack(old, 3)
        try check(driver.reap() == UsedChain(token: 7, byteCount: 3))
    }

    enum Lie: CaseIterable, Sendable {
        case outOfRange, hugeID, notInFlight, notAHead, twice, tooManyBytes, bytesOfReadable, indexJump,
            indexBack
    }

    @Test("A device that returns what it was not lent breaks the ring", arguments: Lie.allCases)
    func lies(_ lie: Lie) throws {
        let ring = try HandRing(size: 8)
        var driver = try ring.driver()
        check(driver.add(readable: Self.one, writable: Self.one, token: 1))
        check(driver.add(readable: Self.one, token: 2))
        _ = driver.publish()
        let first = ring.geometry.driverAreaOffset + 4
        let pair = UInt32(ring.memory.number(at: first, 2))
        let single = UInt32(ring.memory.number(at: first + 2, 2))
        let second = UInt32(ring.memory.number(at: 16 * Int(pair) + 14, 2))
        switch lie {
        case .outOfRange: ring.giveBack(8, 0)
        case .hugeID: ring.giveBack(pair | 0x1_0000, 0)
        case .notInFlight:
            let unused = try #require(
                (0..<8 as Range<UInt32>).first { ![pair, second, single].contains($0) })
            ring.giveBack(unused, 0)
        case .notAHead: ring.giveBack(second, 0)
        case .twice:
            ring.giveBack(pair, 10)
            ring.giveBack(pair, 10)
            try check(driver.reap()?.token == 1)
        case .tooManyBytes: ring.giveBack(pair, 11)
        case .bytesOfReadable: ring.giveBack(single, 1)
        case .indexJump: ring.usedIndex = 3
        case .indexBack: ring.usedIndex = 65535
        }
        let error = VirtQueueError(.invalidUsedElement)
        #expect(throws: error) { _ = try driver.reap() }
        check(driver.isBroken)
        check(driver.freeDescriptors == 0)
        check(!driver.add(readable: Self.one, token: 3))
        #expect(throws: error) { _ = try driver.reap() }
        check(!driver.hasUsed())

        var tokens: [UInt32] = []
        while let token = driver.detach() { tokens.append(token) }
        #expect(tokens.sorted() == (lie == .twice ? [2] : [1, 2]))
        driver.reset()
        check(!driver.isBroken && driver.freeDescriptors == 8 && driver.inFlight == 0)
        #expect(ring.usedIndex == 0 && ring.availIndex == 0)
        check(driver.add(readable: Self.one, token: 4))
    }

    @Test("An indirect chain takes one descriptor whatever it holds")
    func indirect() throws {
        let ring = try HandRing(size: 1)
        var driver = try ring.driver(.indirectDescriptors)
        let segments = [Self.one, Self.one, Self.one]
        let isAdded = unsafe segments.withUnsafeBufferPointer { all in
            unsafe driver.add(
                readable: UnsafeBufferPointer(rebasing: all[..<1]),
                writable: UnsafeBufferPointer(rebasing: all[1...]), token: 5,
                indirectTable: ring.memory.tables.start,
                at: IOVirtualAddress(rawValue: ProgramMemory.tableAddress))
        }
        #expect(isAdded)
        check(driver.freeDescriptors == 0)
        _ = driver.publish()
        ring.giveBack(0, 20)
        try check(driver.reap() == UsedChain(token: 5, byteCount: 20))
    }

    @Test("A block that is not aligned to 16 bytes is refused")
    func alignment() throws {
        let ring = try HandRing(size: 1)
        #expect(throws: VirtQueueError.self) {
            _ = try unsafe SplitDriverQueue(size: 1, features: [], memory: ring.memory.ring.start + 8)
        }
    }

    @Test("The areas of a block are aligned, apart and inside", arguments: (0...15).map { UInt16(1) << $0 })
    func geometry(size: UInt16) throws {
        let geometry = try RingGeometry(size: size)
        // The sizes of virtio 1.2, section 2.7, with both event fields.
        #expect(geometry.driverAreaOffset >= 16 * Int(size))
        #expect(geometry.deviceAreaOffset >= geometry.driverAreaOffset + 6 + 2 * Int(size))
        #expect(geometry.byteCount >= geometry.deviceAreaOffset + 6 + 8 * Int(size))
        #expect(geometry.driverAreaOffset % 64 == 0 && geometry.deviceAreaOffset % 64 == 0)
        let layout = geometry.layout(at: IOVirtualAddress(rawValue: 0x1000))
        #expect(layout.size == size)
        #expect(layout.addresses.driverArea.rawValue == 0x1000 + UInt64(geometry.driverAreaOffset))
        #expect(layout.addresses.deviceArea.rawValue == 0x1000 + UInt64(geometry.deviceAreaOffset))
    }
}

/// A driver whose ring is in a guest's memory map.
@Suite("A driver's ring in an address space")
struct GuestMemoryRingTests {
    private static func code(_ body: () throws -> Void) -> VirtQueueError.Code? {
        do { try body() } catch { return (error as? VirtQueueError)?.code }
        return nil
    }

    @Test("It is where the layout says, and keeps the memory that it is in")
    func place() throws {
        var space: AddressSpace? = try PCMemoryLayout(memory: .mebibytes(2), hasFirmware: false).addressSpace
        let view = try #require(space?.view)
        let layout = try RingGeometry(size: 4).layout(at: 0x1_0000)
        var driver = try SplitDriverQueue(layout: layout, in: #require(space))
        space = nil
        check(driver.add(writable: SplitDriverQueueTests.one, token: 3))
        check(driver.publish())
        let index = try #require(
            AddressRange(
                first: GuestPhysicalAddress(rawValue: layout.addresses.driverArea.rawValue + 2),
                byteCount: ByteCount(2)))
        let host = try #require(view.hostRange(of: index, access: .read)).first.rawValue
        #expect(unsafe UnsafePointer<UInt16>(bitPattern: UInt(host))?.pointee == 1)
    }

    @Test("A size, an address or memory that it cannot have is refused")
    func refused() throws {
        let space = try PCMemoryLayout(memory: .mebibytes(4)).addressSpace
        let outside = try RingGeometry(size: 4).layout(at: 0x40_0000)
        #expect(
            Self.code { _ = try SplitDriverQueue(layout: outside, in: space) }
                == .fault(TranslationFault(address: 0x40_0000, access: .readWrite)))
        // The option ROMs are write-protected.
        let rom = try RingGeometry(size: 4).layout(at: 0xc_0000)
        #expect(
            Self.code { _ = try SplitDriverQueue(layout: rom, in: space) }
                == .fault(TranslationFault(address: 0xc_0000, access: .readWrite)))
        let odd = try RingGeometry(size: 4).layout(at: 0x10_0008)
        #expect(Self.code { _ = try SplitDriverQueue(layout: odd, in: space) } == .misalignedRing(0x10_0008))
        var size = try RingGeometry(size: 4).layout(at: 0x10_0000)
        size.size = 3
        #expect(Self.code { _ = try SplitDriverQueue(layout: size, in: space) } == .invalidSize(3))
    }
}
