import Glibc
import GuestMemory
import LinuxHost
import SimulatedVDPA
import TestSupport
import Testing
import VhostVDPAConformance
import VirtQueue
import Virtio
import VirtioDevice
import VirtioNet

/// What a guest sees of the kernel's vdpa_sim_net (drivers/vdpa/vdpa_sim/vdpa_sim_net.c).
@Suite("The device of vdpa_sim_net", .timeLimit(.minutes(15)))
struct VdpasimNetTests {
    private static let own = MACAddress(0x5254_0012_3456)

    /// A guest that writes its frames by hand, and the device's configuration.
    private final class Guest {
        let raw: HostileGuest
        let space: ConfigurationSpace
        let control: RawRing
        static let controlOffset = 0x2_0000
        private static let controlBuffer = 0x3_0000

        init() throws {
            space = ConfigurationSpace(VdpasimNetTests.own.octets + [UInt8](repeating: 0, count: 18))
            let events = DeviceEvents()
            raw = try HostileGuest(
                device: VdpasimNetDevice(name: "device", configuration: space) { events.append($0) },
                events: events)
            let memory = unsafe raw.block.base + HostileGuest.mebibyte + Self.controlOffset
            control = unsafe try RawRing(
                size: HostileGuest.size, memory: memory,
                address: IOVirtualAddress(rawValue: HostileGuest.base + UInt64(Self.controlOffset)))
        }

        /// Starts both data queues, or the transmit queue alone.
        func start(
            features: VirtioFeatures = .version1, receives: Bool = true
        ) {
            raw.device.setTranslation(raw.entries, queues: 0..<2)
            raw.device.setFeatures(features)
            for queue in receives ? [0, 1] : [1] {
                raw.device.startQueue(queue, layout: raw.rings[queue].layout, features: features, base: 0)
            }
        }

        func startControl(
            features: VirtioFeatures = [.version1, .controlQueue]
        ) {
            raw.device.setTranslation(raw.entries, queues: 2..<3)
            raw.device.setFeatures(features)
            raw.device.startQueue(2, layout: control.layout, features: features, base: 0)
        }

        /// Offers a frame of `byteCount` bytes with its header, at `head` of the transmit ring.
        func send(
            to destination: MACAddress, byteCount: Int = 72, head: UInt16 = 0, headerByteCount: Int = 12
        ) {
            store(
                [UInt8](repeating: 0x11, count: headerByteCount) + destination.octets
                    + (0..<64).map { UInt8($0) }, at: Self.offset(1, head))
            raw.rings[1].setDescriptor(
                Int(head), HostileGuest.buffer(Int(HostileGuest.size) + Int(head)), UInt32(byteCount))
            raw.rings[1].offer(head)
        }

        func offerReceive(_ heads: Range<UInt16>, byteCount: UInt32 = HostileGuest.bufferLength) {
            for head in heads {
                raw.writeGood(0, head: head)
                raw.rings[0].setLength(byteCount, of: Int(head))
                raw.rings[0].offer(head)
            }
        }

        /// Gives the device a command and one byte for its answer.
        func command(_ bytes: [UInt8], head: UInt16) {
            let offset = Self.controlBuffer + Int(head) * 64
            let address = HostileGuest.base + UInt64(offset)
            store(bytes, at: offset)
            store([0xff], at: offset + 32)
            control.setDescriptor(Int(head), address, UInt32(bytes.count), .next, next: head + 1)
            control.setDescriptor(Int(head) + 1, address + 32, 1, .write)
            control.offer(head)
        }

        func answer(_ head: UInt16) -> UInt8 { byte(at: Self.controlBuffer + Int(head) * 64 + 32) }

        func received(_ head: UInt16, _ count: Int) -> [UInt8] {
            (0..<count).map { byte(at: Self.offset(0, head) + $0) }
        }

        /// Kicks a queue; on return the device has done all that it does for it.
        func kick(_ queue: Int) {
            raw.device.kick(queue)
            settle()
        }

        func settle() { raw.device.settle() }

        var sent: UInt16 { raw.rings[1].usedIndex }
        var arrived: UInt16 { raw.rings[0].usedIndex }

        private static func offset(_ queue: Int, _ head: UInt16) -> Int {
            Int(HostileGuest.buffer(queue * Int(HostileGuest.size) + Int(head)) - HostileGuest.base)
        }
        private func store(_ bytes: [UInt8], at offset: Int) {
            let memory = unsafe raw.block.base + HostileGuest.mebibyte + offset
            unsafe memory.copyMemory(from: bytes, byteCount: bytes.count)
        }
        private func byte(at offset: Int) -> UInt8 {
            unsafe raw.block.base.load(fromByteOffset: HostileGuest.mebibyte + offset, as: UInt8.self)
        }
    }

    @Test("its account has every frame: looped, filtered, cut, without a receive chain, and no frame at all")
    func account() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<2)
        guest.offerReceive(2..<3, byteCount: 40)
        guest.send(to: Self.own, head: 0)
        guest.send(to: MACAddress(0x5255_0099_9999), head: 1)
        guest.send(to: Self.own, head: 2)
        guest.send(to: Self.own, head: 3)
        guest.raw.rings[1].setDescriptor(4, HostileGuest.buffer(12), 0)
        guest.raw.rings[1].offer(4)
        guest.send(to: Self.own, head: 5)
        guest.raw.device.kick(1)
        guest.raw.device.settle()
        let (receive, transmit) = (guest.raw.device.account(0), guest.raw.device.account(1))
        #expect(transmit.entered == 6 && transmit.left == 5 && transmit.malformed == 1)
        #expect(receive.entered == 5 && receive.left == 3 && receive.cut == 1)
        #expect(receive.filtered == 1 && receive.noBuffer == 1)
        #expect(transmit.balances && receive.balances)
        #expect(guest.raw.rings[0].usedIndex == 3 && guest.raw.rings[1].usedIndex == 6)
    }

    @Test(
        "loops back what is for it, for a group or for all, and drops the rest",
        arguments: [
            (own, true), (MACAddress.broadcast, true), (MACAddress(0x0100_5e00_0001), true),
            (MACAddress(0x5254_0112_3456), false), (MACAddress(0x5654_0012_3456), false),
            // strncmp: the third octet ends the comparison.
            (MACAddress(0x5254_0012_3457), true), (MACAddress(0x5254_0000_0000), true),
        ])
    func filter(_ destination: MACAddress, _ comesBack: Bool) throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<1)
        guest.send(to: destination)
        guest.kick(1)
        #expect(guest.sent == 1)
        #expect(guest.arrived == (comesBack ? 1 : 0))
        guard comesBack else { return }
        // The header comes back as it was sent: the device does not look at it.
        #expect(guest.raw.rings[0].usedElement(0).byteCount == 72)
        #expect(guest.received(0, 18) == [UInt8](repeating: 0x11, count: 12) + destination.octets)
    }

    @Test(
        "drops frames without room for an address, after the header that was negotiated",
        arguments: [(.version1, 12), ([], 10)] as [(VirtioFeatures, Int)])
    func shortFrames(_ features: VirtioFeatures, _ headerByteCount: Int) throws {
        let guest = try Guest()
        guest.start(features: features)
        guest.offerReceive(0..<4)
        for (head, byteCount) in [headerByteCount, headerByteCount + 5, headerByteCount + 6].enumerated() {
            guest.send(
                to: .broadcast, byteCount: byteCount, head: UInt16(head), headerByteCount: headerByteCount)
        }
        guest.kick(1)
        #expect(guest.sent == 3)
        #expect(guest.arrived == 1)
        #expect(guest.raw.rings[0].usedElement(0).byteCount == UInt32(headerByteCount + 6))
    }

    @Test("cuts a frame to the receive chain")
    func cut() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<1, byteCount: 20)
        guest.send(to: .broadcast)
        guest.kick(1)
        #expect(guest.sent == 1 && guest.arrived == 1)
        #expect(guest.raw.rings[0].usedElement(0).byteCount == 20)
    }

    @Test(
        "takes a frame without a receive chain and stops there; a kick of either queue goes on",
        arguments: [0, 1])
    func overrun(_ queue: Int) throws {
        let guest = try Guest()
        guest.start()
        for head in UInt16(0)..<4 { guest.send(to: .broadcast, head: head) }
        guest.kick(1)
        #expect(guest.sent == 1 && guest.arrived == 0)
        guest.offerReceive(0..<2)
        guest.settle()
        #expect(guest.sent == 1)
        guest.kick(queue)
        #expect(guest.sent == 4 && guest.arrived == 2)
        #expect(guest.raw.counts(0).drops == 2)
    }

    @Test("makes as many passes as one kick needs")
    func budget() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<8)
        for head in UInt16(0)..<8 { guest.send(to: .broadcast, head: head) }
        guest.kick(1)
        #expect(guest.sent == 8 && guest.arrived == 8)
    }

    @Test("does nothing while either data queue is off")
    func half() throws {
        let guest = try Guest()
        guest.start(receives: false)
        guest.send(to: .broadcast)
        guest.kick(1)
        #expect(guest.sent == 0)
    }

    @Test("never asks the driver to leave its kicks out")
    func kicks() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<8)
        guest.send(to: .broadcast)
        guest.kick(1)
        #expect(guest.raw.rings.allSatisfy { $0.usedFlags == 0 })
    }

    @Test("a command changes the address in the configuration, which filters from then on")
    func setAddress() throws {
        let guest = try Guest()
        guest.start()
        guest.startControl()
        guest.offerReceive(0..<2)
        let new = MACAddress(0x5255_00ca_fe01)
        guest.command([1, 1] + new.octets, head: 0)
        guest.kick(2)
        #expect(guest.control.usedIndex == 1 && guest.control.usedElement(0).byteCount == 1)
        #expect(guest.answer(0) == 0)
        #expect(guest.space.read(at: 0, count: 6) == new.octets)
        guest.send(to: Self.own)
        guest.send(to: new, head: 1)
        guest.kick(1)
        #expect(guest.sent == 2 && guest.arrived == 1)
    }

    @Test(
        "every other command is an error, and changes nothing",
        arguments: [[0x77, 0], [1, 0], [1], [0, 1]] as [[UInt8]])
    func otherCommands(_ bytes: [UInt8]) throws {
        let guest = try Guest()
        guest.startControl()
        guest.command(bytes, head: 0)
        guest.kick(2)
        #expect(guest.control.usedIndex == 1)
        #expect(guest.answer(0) == 1)
        #expect(guest.space.read(at: 0, count: 6) == Self.own.octets)
    }

    @Test("an address that is too short is an error, and its octets are in the configuration")
    func shortAddress() throws {
        let guest = try Guest()
        guest.startControl()
        guest.command([1, 1, 2, 3], head: 0)
        guest.kick(2)
        #expect(guest.answer(0) == 1)
        #expect(guest.space.read(at: 0, count: 6) == [2, 3] + Self.own.octets[2...])
    }

    @Test(
        "calls for each frame it has taken, and for each that came back; for a command whether asked or not")
    func calls() throws {
        let guest = try Guest()
        let counters = try (0..<3).map { _ in try EventCounter() }
        let calls = try counters.map { try SharedEventFD(duplicating: $0.descriptor) }
        guest.raw.device.setTranslation(guest.raw.entries, queues: 0..<3)
        guest.raw.device.setFeatures([.version1, .controlQueue])
        for (queue, ring) in (guest.raw.rings + [guest.control]).enumerated() {
            guest.raw.device.startQueue(
                queue, layout: ring.layout, features: [.version1, .controlQueue], base: 0, call: calls[queue])
        }
        guest.offerReceive(0..<2)
        for head in UInt16(0)..<2 { guest.send(to: .broadcast, head: head) }
        guest.send(to: MACAddress(0x5255_0000_0000), head: 2)
        guest.control.availFlags = 1
        guest.command([1, 1] + Self.own.octets, head: 0)
        guest.command([0x77, 0], head: 2)
        guest.kick(1)
        #expect(counters.map { $0.take() } == [2, 3, 2])
        guest.raw.rings[1].availFlags = 1
        guest.send(to: MACAddress(0x5255_0000_0000), head: 3)
        guest.kick(1)
        #expect(guest.sent == 4 && counters[1].take() == 0)
    }

    @Test("a running ring goes on at a base that is set, and its used index where it was")
    func move() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<4)
        for head in UInt16(0)..<2 { guest.send(to: .broadcast, head: head) }
        guest.kick(1)
        #expect(guest.sent == 2)
        #expect(guest.raw.device.move(1, to: .split(nextAvail: 1)) == .split(nextAvail: 2))
        guest.settle()
        #expect(guest.sent == 2)
        guest.kick(1)
        #expect(guest.sent == 3 && guest.arrived == 3)
        #expect(guest.raw.rings[1].usedElement(2).head == 1)
        #expect(guest.raw.device.states(of: 1..<2) == [.split(nextAvail: 2)])
    }

    @Test("an avail index beyond the ring is believed: every entry up to it is taken once more")
    func jump() throws {
        let guest = try Guest()
        guest.start()
        _ = guest.raw.device.move(1, to: .split(nextAvail: 5))
        guest.kick(1)
        #expect(guest.raw.device.states(of: 1..<2) == [.split(nextAvail: 0)])
        #expect(guest.sent == 65531)
        guest.offerReceive(0..<1)
        guest.send(to: .broadcast)
        guest.kick(1)
        #expect(guest.sent == 65532 && guest.arrived == 1)
    }

    @Test("an unknown class in the same pass as a good command is answered like that one, as in the kernel")
    func staleAnswer() throws {
        let guest = try Guest()
        guest.startControl()
        guest.command([1, 1] + Self.own.octets, head: 0)
        guest.command([0x77, 0], head: 2)
        guest.kick(2)
        #expect(guest.control.usedIndex == 2)
        #expect(guest.answer(0) == 0 && guest.answer(2) == 0)
    }

    @Test("without CTRL_VQ the control queue is not looked at")
    func controlNotNegotiated() throws {
        let guest = try Guest()
        guest.startControl(features: .version1)
        guest.command([1, 1] + Self.own.octets, head: 0)
        guest.kick(2)
        #expect(guest.control.usedIndex == 0)
    }

    @Test("the features of the moment say how long a header is, whenever the queues were enabled")
    func headerOfTheMoment() throws {
        let guest = try Guest()
        guest.start(features: [])
        guest.offerReceive(0..<2)
        // Ten bytes of header, an address that is not the device's two bytes further on.
        guest.send(to: .broadcast, byteCount: 16, headerByteCount: 10)
        guest.kick(1)
        #expect(guest.sent == 1 && guest.arrived == 1)
        guest.raw.device.setFeatures(.version1)
        guest.send(to: .broadcast, byteCount: 16, head: 1, headerByteCount: 10)
        guest.kick(1)
        #expect(guest.sent == 2 && guest.arrived == 1)
        guest.send(to: .broadcast, byteCount: 18, head: 2)
        guest.kick(1)
        #expect(guest.sent == 3 && guest.arrived == 2)
    }

    @Test("the features of the moment say whether there is a control queue: a kick is looked at or lost")
    func controlQueueOfTheMoment() throws {
        let guest = try Guest()
        guest.startControl(features: .version1)
        guest.raw.device.setFeatures([.version1, .controlQueue])
        guest.command([1, 1] + Self.own.octets, head: 0)
        guest.kick(2)
        #expect(guest.control.usedIndex == 1)
        guest.raw.device.setFeatures(.version1)
        guest.command([1, 1] + Self.own.octets, head: 2)
        guest.kick(2)
        guest.raw.device.setFeatures([.version1, .controlQueue])
        guest.settle()
        #expect(guest.control.usedIndex == 1)
        guest.kick(2)
        #expect(guest.control.usedIndex == 2)
    }

    @Test("a suspended device keeps a kick; without one a resume serves nothing", arguments: [true, false])
    func suspend(isKicked: Bool) throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<1)
        let states = guest.raw.device.suspend(0..<2)
        guest.send(to: .broadcast)
        if isKicked { guest.kick(1) }
        #expect(guest.sent == 0)
        guest.raw.device.resume(
            (0..<2).map { queue in
                QueueSetup(
                    queue: queue, layout: guest.raw.rings[queue].layout, features: .version1,
                    state: states[queue])
            })
        guest.settle()
        #expect(guest.sent == (isKicked ? 1 : 0))
    }

    @Test("a start serves nothing by the kicks that were kept before it")
    func startServesNothing() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<1)
        _ = guest.raw.device.suspend(0..<2)
        guest.send(to: .broadcast)
        guest.raw.device.kick(1)
        guest.start()
        guest.settle()
        #expect(guest.sent == 0)
        guest.kick(1)
        #expect(guest.sent == 1)
    }

    @Test(
        "kicks that were kept are there for a resume after a start, and after a reset that keeps them",
        arguments: [nil, true, false])
    func keptKicks(byReset keepsKicks: Bool?) throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<2)
        _ = guest.raw.device.suspend(0..<2)
        guest.raw.device.kick(1)
        if let keepsKicks { guest.raw.device.endSuspension(keepsKicks: keepsKicks) }
        // A kick after the reset is lost in any case.
        if keepsKicks == false { guest.raw.device.kick(1) }
        guest.start()
        guest.send(to: .broadcast)
        guest.settle()
        #expect(guest.sent == 0)
        guest.raw.device.resume([])
        guest.settle()
        #expect(guest.sent == (keepsKicks == false ? 0 : 1))
        // And for no second one.
        guest.send(to: .broadcast, head: 1)
        guest.raw.device.resume([])
        guest.settle()
        #expect(guest.sent == (keepsKicks == false ? 0 : 1))
    }

    @Test("GET_VRING_BASE of a running queue is where it stands")
    func position() throws {
        let guest = try Guest()
        guest.start()
        guest.offerReceive(0..<2)
        for head in UInt16(0)..<2 { guest.send(to: .broadcast, head: head) }
        guest.kick(1)
        #expect(guest.raw.device.states(of: 0..<2) == [.split(nextAvail: 2), .split(nextAvail: 2)])
    }

    @Test("whoever has ended it finds that its worker has let go of everything, and has counted it")
    func ended() throws {
        let layout = try RingGeometry(size: HostileGuest.size).layout(
            at: IOVirtualAddress(rawValue: HostileGuest.base))
        for _ in 0..<100 {
            let device = try VdpasimNetDevice(name: "device", configuration: ConfigurationSpace([])) { _ in }
            var call: SharedEventFD? = try SharedEventFD()
            weak let kept = call
            device.startQueue(1, layout: layout, features: .version1, base: 0, call: call)
            call = nil
            #expect(kept != nil)
            device.kick(1)
            device.shutdown()
            #expect(kept == nil)
            #expect(device.counts(1).kicks == 1)
        }
    }
}
