import Glibc
import Testing
import Virtio
import VirtioNet

import EmulatedMachine

@Suite("A port that refuses") struct PortRefusalTests {
    @Test(
        "is named, with the kernel's answer and what to do",
        arguments: [
            (
                "tap:ta", EIO,
                "tap:ta: Input/output error: the interface is down; bring it up with 'ip link set ta up'"
            ),
            (
                "tap:ta@left", EIO,
                "tap:ta@left: Input/output error: the interface is down; bring it up with 'ip -n left link set ta up'"
            ),
            (
                "tap:tb@right", EBADFD,
                "tap:tb@right: File descriptor in bad state: the interface is gone, it or its network namespace was deleted;"
                    + " make it again and run anew"
            ),
            ("tap:ta", ENOMEM, "tap:ta: Cannot allocate memory"), ("none", EIO, "none: Input/output error"),
        ])
    func words(port: String, errno: Int32, expected: String) throws {
        #expect(PortRefusal(port: try PortSpecification(parsing: port), errno: errno).description == expected)
    }

    @Test("names no command that brings up an interface where it is not any more")
    func moved() throws {
        let refusal = PortRefusal(
            port: try PortSpecification(parsing: "tap:ta@left"), errno: EIO, hasMoved: true)
        #expect(!refusal.description.contains("ip -n left"))
        #expect(refusal.description.contains("renamed, moved to another namespace or deleted"))
    }

    @Test(
        "that no frame can pass yet is said when it is attached to, with the command",
        arguments: [
            (
                "tap:ta", true, false,
                "tap:ta: there was no such interface, so it was made, and is down: no frame passes until 'ip link set ta up'"
            ),
            (
                "tap:ta@left", false, false,
                "tap:ta@left: the interface is down: no frame passes until 'ip -n left link set ta up'"
            ),
            ("tap:ta", false, true, nil), ("tap:ta", false, nil, nil), ("generator", true, false, nil),
        ] as [(String, Bool, Bool?, String?)])
    func notice(port: String, wasMade: Bool, isUp: Bool?, expected: String?) throws {
        #expect(try PortSpecification(parsing: port).notice(wasMade: wasMade, isUp: isUp) == expected)
    }

    private func account(_ queue: Int, driver: Int32 = 0, device: Int32 = 0) -> QueueAccount {
        var sides = (FrameAccount(), FrameAccount())
        sides.0.lastRefusal = driver
        sides.1.lastRefusal = device
        let role = QueueMap.network(pairs: 2, hasControlQueue: false).role(of: queue)
        return QueueAccount(queue: queue, role: role, driver: sides.0, device: sides.1)
    }

    @Test(
        "is said once for each port and reason: the driver's side is the guest's port, the device's the wire's"
    )
    func once() {
        let (guest, wire) = (
            PortSpecification.tap(name: "ta", namespace: nil),
            PortSpecification.tap(name: "tb", namespace: nil)
        )
        var watch = PortWatch(guest: guest, wire: wire)
        func refusals(_ accounts: QueueAccount...) -> [PortRefusal] {
            watch.newRefusals(in: accounts) { $0 == wire }
        }
        #expect(refusals(account(0), account(1)).isEmpty)
        #expect(watch.moved { _ in true }.isEmpty)
        #expect(refusals(account(0, driver: EIO), account(1)) == [PortRefusal(port: guest, errno: EIO)])
        #expect(refusals(account(0, driver: EIO), account(1)).isEmpty)
        #expect(watch.moved { _ in true } == [guest])
        #expect(
            refusals(account(0, driver: EIO), account(1, device: EIO), account(3, device: EIO))
                == [PortRefusal(port: wire, errno: EIO, hasMoved: true)])
        #expect(
            refusals(account(0, driver: EBADFD), account(1, device: EIO))
                == [PortRefusal(port: guest, errno: EBADFD)])
        #expect(watch.moved { $0 == wire } == [wire])
    }
}
