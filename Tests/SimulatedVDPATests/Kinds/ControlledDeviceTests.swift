import GuestMemory
import LinuxHost
import SimulatedVDPA
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice
import VirtioNet

/// What a guest sees of mlx5's card: a pair of queues and a control queue.
@Suite("The device of mlx5", .timeLimit(.minutes(15)))
struct ControlledDeviceTests {
    private static let own = MACAddress(0x5254_0012_3456)
    private static let controlOffset = 0x2_0000
    private static let commandOffset = 0x3_0000

    private let guest: HostileGuest
    private let space: ConfigurationSpace
    private let control: RawRing

    init() throws { try self.init(.mlx5) }

    private init(_ commands: ControlCommandSet) throws {
        space = ConfigurationSpace(Self.own.octets + [UInt8](repeating: 0, count: 18))
        let events = DeviceEvents()
        guest = try HostileGuest(
            device: ControlledDevice(
                name: "device", queuePairs: 1, port: .loopback, commands: commands, configuration: space
            ) { events.append($0) },
            events: events)
        control = unsafe try RawRing(
            size: HostileGuest.size,
            memory: guest.block.base + HostileGuest.mebibyte + Self.controlOffset,
            address: IOVirtualAddress(rawValue: HostileGuest.base + UInt64(Self.controlOffset)))
    }

    /// The answer to a command; `nil` where the device gives none.
    private func answer(_ command: [UInt8]) -> UInt8? {
        let before = control.usedIndex
        let memory = unsafe guest.block.base + HostileGuest.mebibyte + Self.commandOffset
        for (index, byte) in (command + [UInt8](repeating: 0xff, count: 40 - command.count)).enumerated() {
            unsafe memory.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        let address = HostileGuest.base + UInt64(Self.commandOffset)
        control.setDescriptor(0, address, UInt32(command.count), .next, next: 1)
        control.setDescriptor(1, address + 32, 1, .write)
        control.offer(0)
        guest.device.kick(2)
        guest.device.settle()
        guard control.usedIndex == before &+ 1 else { return nil }
        return unsafe memory.load(fromByteOffset: 32, as: UInt8.self)
    }

    private func startControl(_ features: VirtioFeatures = .controlQueue) {
        guest.device.setFeatures(features)
        guest.device.setTranslation(guest.entries, queues: 2..<3)
        guest.device.startQueue(2, layout: control.layout, features: features, base: 0)
    }

    @Test("Without CTRL_VQ the control queue rests, and a kick of it is lost: with it the next one is served")
    func notNegotiated() {
        startControl([])
        // The device comes to rest: ``answer(_:)`` waits for that.
        #expect(answer([1, 1, 2, 4, 6, 8, 10, 12]) == nil)
        guest.device.setFeatures(.controlQueue)
        guest.device.settle()
        #expect(control.usedIndex == 0)
        guest.device.kick(2)
        guest.device.settle()
        #expect(control.usedIndex == 1)
        #expect(space.read(at: 0, count: 6) == [2, 4, 6, 8, 10, 12])
    }

    @Test("MAC_ADDR_SET changes the address, apart from one of zeros; everything else is an error")
    func commands() {
        startControl()
        #expect(answer([1, 1, 2, 4, 6, 8, 10, 12]) == 0)
        #expect(space.read(at: 0, count: 6) == [2, 4, 6, 8, 10, 12])
        for command in [[1, 1, 0, 0, 0, 0, 0, 0], [1, 1, 2, 4], [1, 0], [4, 0, 2, 0], [2, 0, 1, 0], [1]] {
            #expect(answer(command.map(UInt8.init)) == 1)
        }
        #expect(space.read(at: 0, count: 6) == [2, 4, 6, 8, 10, 12])
    }

    @Test("QEMU's card takes any address, modes and whole tables, which change nothing, and refuses all else")
    func qemuCommands() throws {
        let card = try Self(.qemu)
        card.startControl()
        #expect(card.answer([1, 1, 2, 4, 6, 8, 10, 12]) == 0)
        let table: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 0, 1]
        let taken: [[UInt8]] = [
            [0, 0, 1], [0, 5, 0], [2, 0, 0xff, 0x0f], [2, 1, 1, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0] + table + [0, 0, 0, 0], [1, 0, 0, 0, 0, 0] + table,
        ]
        for command in taken { #expect(card.answer(command) == 0, "\(command)") }
        let refused: [[UInt8]] = [
            [0, 0], [0, 6, 1], [2, 0, 0, 0x10], [2, 0, 1], [2, 2, 1, 0], [1, 0], [1, 0] + table,
            [1, 0] + table + [1, 0, 0, 0], [1, 0] + table + [0, 0, 0, 0, 0], [1, 1, 2, 4, 6, 8, 10],
            [1, 1, 2, 4, 6, 8, 10, 12, 14], [1, 2], [3, 0], [4, 0, 2, 0], [5, 0], [0x77, 0], [1],
        ]
        for command in refused { #expect(card.answer(command) == 1, "\(command)") }
        #expect(card.space.read(at: 0, count: 6) == [2, 4, 6, 8, 10, 12])
        #expect(card.answer([1, 1, 0, 0, 0, 0, 0, 0]) == 0)
        #expect(card.space.read(at: 0, count: 6) == [0, 0, 0, 0, 0, 0])
    }

    @Test(
        "QEMU's card answers commands without CTRL_VQ too, and with EVENT_IDX asks for a kick of the next one"
    )
    func qemuNegotiation() throws {
        for features in [[], VirtioFeatures.eventIndex] {
            let card = try Self(.qemu)
            card.startControl(features)
            #expect(card.answer([0, 0, 1]) == 0)
            #expect(card.answer([0, 0, 0]) == 0)
            #expect(card.control.availEvent == (features.isEmpty ? 0 : 2))
        }
    }

    @Test("A stopped control queue answers nothing, and goes on where it stood")
    func stop() {
        startControl()
        #expect(answer([1, 1, 2, 4, 6, 8, 10, 12]) == 0)
        #expect(guest.device.stop(0..<3).map(\.base.availIndex) == [0, 0, 1])
        #expect(answer([1, 1, 2, 4, 6, 8, 10, 14]) == nil)
        guest.device.startQueue(2, layout: control.layout, features: .controlQueue, base: 1)
        guest.device.kick(2)
        guest.device.settle()
        #expect(control.usedIndex == 2)
        #expect(space.read(at: 5, count: 1) == [14])
    }

    @Test("Frames go through the pair")
    func frames() {
        guest.start(features: [])
        guest.offerGood(0, head: 0)
        guest.offerGood(1, head: 0)
        guest.kick()
        guest.device.settle()
        #expect(guest.rings.map(\.usedIndex) == [1, 1])
        #expect(guest.rings[0].usedElement(0).byteCount == HostileGuest.frameLength)
    }

    @Test(
        "Without a receive buffer the driver is asked for kicks of a transmit ring with nothing in it, and not of another"
    )
    func kicksWithoutBuffers() {
        guest.start(features: [])
        guest.device.kick(0..<2)
        guest.device.settle()
        #expect(guest.rings.map(\.usedFlags) == [0, 0])
        guest.offerGood(1, head: 0)
        guest.device.kick(0..<2)
        guest.device.settle()
        #expect(guest.rings.map(\.usedFlags) == [0, 1])
        guest.offerGood(0, head: 0)
        guest.device.kick(0..<1)
        guest.device.settle()
        #expect(guest.rings.map(\.usedIndex) == [1, 1])
        #expect(guest.rings.map(\.usedFlags) == [0, 0])
    }

    @Test("A ring with a table of its own is found there, and its buffers are not")
    func ringTable() {
        guest.device.setRingTranslation(guest.entries, queues: 0..<2)
        guest.start(features: [])
        guest.device.setTranslation([], queues: 0..<2)
        guest.offerGood(1, head: 0)
        guest.offerGood(0, head: 0)
        guest.kick()
        guest.device.settle()
        #expect(!guest.events.faults.isEmpty, "a buffer")
        #expect(guest.rings[0].usedElement(0).byteCount == 0)
        let faults = guest.events.faults.count
        guest.device.setTranslation(guest.entries, queues: 0..<2)
        guest.device.setRingTranslation([], queues: 0..<2)
        guest.device.kick(0..<2)
        guest.device.settle()
        #expect(guest.events.faults.count > faults, "a ring")
        #expect(guest.rings[1].usedIndex == 0)
    }
}
