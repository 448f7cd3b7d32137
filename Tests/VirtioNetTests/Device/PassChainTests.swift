import TestSupport
import Testing
import VirtQueue
import VirtioDevice

@testable import VirtioNet

/// What becomes of the chains that a pass has taken and that carry no frame in the end.
@Suite("The chains of a device's pass", .timeLimit(.minutes(15)))
struct PassChainTests {
    /// Offers receive chains of these lengths, as heads from 0 on.
    private func offerReceive(_ lengths: [UInt32], of device: SteppedDevice) {
        for (head, length) in lengths.enumerated() {
            device.rings[0].setDescriptor(
                head, SteppedDevice.buffers + UInt64(head) * 0x1000, length, .write)
            device.rings[0].offer(UInt16(head))
        }
    }

    /// Offers transmit chains of these lengths, as heads from 0 on.
    private func offerTransmit(_ lengths: [UInt32], of device: SteppedDevice) {
        for (head, length) in lengths.enumerated() {
            device.rings[1].setDescriptor(head, SteppedDevice.buffers + 0x8_0000, length)
            device.rings[1].offer(UInt16(head))
        }
    }

    @Test("go back to the ring where the port had no frame for them: a later frame stands in the first")
    func withoutFrame() throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        offerReceive([2048, 2048, 2048], of: device)
        for number in 0..<3 as Range<UInt16> {
            #expect(device.worker.receive.served.state == .split(nextAvail: number))
            #expect(wire.send(DatagramPort.frame(60, number: Int(number))))
            device.kick()
            while device.worker.receiveFromPort(SplitDeviceQueue.self) {}
            #expect(device.rings[0].usedIndex == number + 1)
            #expect(device.rings[0].usedElement(number) == (UInt32(number), 72))
        }
        #expect(device.worker.receive.account.left == 3 && device.worker.receive.account.balances)
    }

    @Test("stay in the ring where they break a rule behind others that may yet be given back")
    func badBehindGood() throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        // No buffer is empty.
        offerReceive([2048, 0], of: device)
        device.kick()
        while device.worker.receiveFromPort(SplitDeviceQueue.self) {}
        #expect(device.rings[0].usedIndex == 0)
        #expect(device.worker.receive.served.state == .split(nextAvail: 0))
        #expect(device.worker.receive.totals.errors == 0)

        #expect(wire.send(DatagramPort.frame(60)))
        device.kick()
        while device.worker.receiveFromPort(SplitDeviceQueue.self) {}
        #expect(device.rings[0].usedIndex == 2)
        #expect(device.rings[0].usedElement(0) == (0, 72) && device.rings[0].usedElement(1) == (1, 0))
        #expect(device.worker.receive.totals.errors == 1 && device.worker.receive.account.left == 1)
    }

    @Test("are refused where a header has no room in them, and the frame stands in the next one")
    func noRoomForHeader() throws {
        let device = try SteppedDevice(wire: .loopback)
        let header = UInt32(NetworkHeader.byteCount)
        offerReceive([header - 1, 2048], of: device)
        offerTransmit([header + 60], of: device)
        device.kick()
        while device.worker.reflect(SplitDeviceQueue.self) {}
        #expect(device.rings[0].usedIndex == 2)
        #expect(device.rings[0].usedElement(0) == (0, 0))
        #expect(device.rings[0].usedElement(1) == (1, header + 60))
        let (account, counts) = (device.worker.receive.account, device.worker.receive.totals)
        #expect(account.left == 1 && account.tooLong == 0 && account.balances)
        #expect(counts.errors == 1 && counts.packets == 1)
    }

    @Test(
        "take the next frame of a loop where one is too long for them: it is dropped, and nothing is overrun")
    func tooShort() throws {
        let device = try SteppedDevice(wire: .loopback)
        // The chain ends where the mapped memory does.
        device.rings[0].setDescriptor(0, device.end - 72, 72, .write)
        device.rings[0].offer(0)
        offerTransmit([73, 72], of: device)
        device.kick()
        while device.worker.reflect(SplitDeviceQueue.self) {}
        #expect(device.isGuardIntact)
        #expect(device.rings[1].usedIndex == 2 && device.rings[0].usedIndex == 1)
        #expect(device.rings[0].usedElement(0) == (0, 72))
        let (account, counts) = (device.worker.receive.account, device.worker.receive.totals)
        #expect(account.entered == 2 && account.tooLong == 1 && account.left == 1)
        #expect(counts.drops == 1 && counts.packets == 1)
    }

    @Test("are none where the ring itself breaks a rule: the queue stops where it is, whoever kicks it")
    func brokenRing() throws {
        let device = try SteppedDevice(wire: .none)
        offerTransmit([72], of: device)
        device.kick()
        while device.worker.discard(SplitDeviceQueue.self) {}
        let wasStarted = device.worker.transmit.served.isStarted
        #expect(wasStarted)
        // More chains than there are.
        device.rings[1].availIndex = SteppedDevice.size + 2
        for _ in 0..<2 {
            device.kick()
            while device.worker.discard(SplitDeviceQueue.self) {}
            let isStarted = device.worker.transmit.served.isStarted
            #expect(!isStarted)
            #expect(device.worker.transmit.served.state == .split(nextAvail: 1))
        }
        #expect(device.worker.transmit.totals.errors == 1 && device.worker.transmit.totals.packets == 1)
    }
}
