import CLinux
import CProfile
import Glibc
import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VirtQueue

@testable import VirtioNet

/// What the device's side enters for one frame; `scripts/test --walks` prints the files.
@Suite(
    "The walk from a kick to a used entry",
    .enabled(if: cprofile_is_wanted(), "measured by scripts/test --walks"), .serialized)
struct WalkTests {
    /// One receive and one transmit ring of a network device on a loopback, with nothing of a driver beside them.
    private final class Device {
        static let base: UInt64 = 0x1000_0000
        /// Rings and the first frame's buffers; the second frame's stand in a map of their own.
        static let half: UInt64 = 1 << 20

        let block: RAMBlock
        let rings: [RawRing]
        let device: NetworkDevice
        let kicks: [SharedEventFD]
        let call: SharedEventFD
        /// The transmit queue's, by number: the walk is to have what the device enters, and nothing of what asks it to.
        private let numbers: (kick: Int32, call: Int32)

        init() throws {
            block = try RAMBlock.allocate(name: "walk", byteCount: .mebibytes(2), pages: .base)
            let block = block
            rings = try (0..<2).map { queue in
                unsafe try RawRing(
                    size: 16, memory: block.base + queue * 0x1_0000,
                    address: IOVirtualAddress(rawValue: Self.base + UInt64(queue * 0x1_0000)))
            }
            kicks = try [SharedEventFD(), SharedEventFD()]
            call = try SharedEventFD()
            numbers = (kicks[1].descriptor.rawValue, call.descriptor.rawValue)
            device = try NetworkDevice(name: "walk", port: .loopback) { _ in }
            let entries = try [0, Self.half].map { offset in
                let range = try #require(
                    AddressRange(
                        first: IOVirtualAddress(rawValue: Self.base + offset),
                        byteCount: ByteCount(rawValue: Self.half)))
                let host = HostAddress(rawValue: block.hostRange.first.rawValue + offset)
                return TranslationEntry(range: range, host: host, access: .readWrite)
            }
            device.setTranslation(entries, queues: 0..<2)
            for queue in 0..<2 {
                device.bindKick(kicks[queue], queue: queue)
                device.startQueue(
                    queue, layout: rings[queue].layout, features: [], base: 0,
                    call: queue == 1 ? call : nil)
            }
        }

        /// Where the buffers of frame `number` stand: each frame's in a map of its own.
        private func address(_ number: UInt16) -> UInt64 {
            Self.base + (number == 0 ? 0x4_0000 : Self.half)
        }

        /// Offers the receive buffers of both frames, with a kick.
        func offerBuffers() -> Bool {
            for number in 0..<2 as Range<UInt16> {
                rings[0].setDescriptor(Int(number), address(number), 2048, .write)
                rings[0].offer(number)
            }
            return kicks[0].event.signal() == nil
        }

        /// Offers frame `number`.
        func offerFrame(_ number: UInt16) {
            rings[1].setDescriptor(Int(number), address(number) + 4096, 72)
            rings[1].offer(number)
        }

        /// Kicks for a frame; whether the device calls the driver back within ten seconds.
        func kickAndAwaitCall() -> Bool {
            guard clinux_eventfd_signal(numbers.kick) == 0 else { return false }
            var count: UInt64 = 0
            guard becomesReadable(FileDescriptor(rawValue: numbers.call)) else { return false }
            return unsafe clinux_eventfd_drain(numbers.call, &count) == 0 && count > 0
        }

        deinit { device.shutdown() }
    }

    @Test("of a device with a loopback, asleep: one frame, from the eventfd's signal to the eventfd's signal")
    func kick() throws {
        let device = try Device()
        try #require(device.offerBuffers())
        device.offerFrame(0)
        try #require(device.kickAndAwaitCall())
        device.device.settle()
        // What settles is answered before the worker sleeps.
        try #require(eventually { ThreadStates.areAsleep(named: "walk") })
        device.offerFrame(1)

        try #require(cprofile_begin(), "the tests were built without coverage")
        try #require(device.kickAndAwaitCall())
        // The worker publishes its counts and sleeps again: a part of the pass.
        try #require(eventually { ThreadStates.areAsleep(named: "walk") })
        #expect(unsafe cprofile_end("kick-to-used-entry") == 0)
        #expect(device.rings.map(\.usedIndex) == [2, 2])
    }
}
