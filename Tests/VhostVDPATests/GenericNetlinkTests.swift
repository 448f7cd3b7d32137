import CLinux
import Glibc
import SystemPackage
import Testing

@testable import VhostVDPA

/// The kernel's generic netlink, asked from children. Every kernel has the control family.
@Suite(.timeLimit(.minutes(15)))
struct GenericNetlinkTests {
    /// A message that the kernel takes and never answers: NLMSG_NOOP, without NLM_F_ACK (linux/netlink.h).
    private static let unanswered = NetlinkMessage(type: 1, command: 0, attributes: [])

    @Test("a family is found by its name, and one that nobody has is ENOENT")
    func family() throws {
        let netlink = GenericNetlink()
        // GENL_ID_CTRL, the family that knows the others.
        #expect(try netlink.family("nlctrl") == 16)
        #expect(throws: Errno.noSuchFileOrDirectory) { try netlink.family("no-such-family") }
        #expect(netlink.lateChildCount == 0)
    }

    @Test("several questions are one child's, and have their answers in their order")
    func several() throws {
        let request = NetlinkMessage(type: 16, command: 3, attributes: [.string(2, "nlctrl")])
        let answers = try GenericNetlink().ask([request, request, request])
        #expect(answers.count == 3)
        #expect(
            answers.allSatisfy { $0.type == 16 && $0.attributes.contains { $0.type == 1 && $0.number == 16 } }
        )
    }

    @Test("a child that never answers is left behind when the time is over, and nobody is asked again")
    func silence() throws {
        let netlink = GenericNetlink(patience: .milliseconds(50))
        #expect(throws: Errno.timedOut) { try netlink.ask([Self.unanswered]) }
        #expect(netlink.lateChildCount == 1)
        // The next question would wait as long, for the same reason.
        #expect(throws: Errno.timedOut) { try netlink.family("nlctrl") }
        #expect(netlink.lateChildCount == 1)
    }

    @Test("a read that fails is no end of the answers, and silence has an end")
    func failedRead() throws {
        let end = ContinuousClock.now + .seconds(100)
        let folder = try FileDescriptor.open(FilePath("/"), .readOnly)
        defer { try? folder.close() }
        #expect(throws: Errno.isDirectory) { try GenericNetlink.readAll(folder, until: end) }
        let pipe = try FileDescriptor.pipe()
        defer { try? pipe.readEnd.close() }
        #expect(throws: Errno.timedOut) {
            try GenericNetlink.readAll(pipe.readEnd, until: ContinuousClock.now + .milliseconds(10))
        }
        try pipe.writeEnd.writeAll([1, 2])
        try pipe.writeEnd.close()
        #expect(try GenericNetlink.readAll(pipe.readEnd, until: end) == [1, 2])
    }

    @Test(
        "children that did not answer are no zombies afterwards, however short the patience for an answer was"
    )
    func reaped() throws {
        for _ in 0..<20 {
            let netlink = GenericNetlink(patience: .zero)
            #expect(throws: Errno.timedOut) { try netlink.ask([Self.unanswered]) }
            netlink.reap()
            #expect(netlink.lateChildCount == 0)
        }
    }

    @Test("a reader whose kernel does not answer says so once its time is over, and at once after that")
    func reader() throws {
        let netlink = GenericNetlink(patience: .milliseconds(50))
        _ = try? netlink.ask([Self.unanswered])
        let error = #expect(throws: VhostVDPAError.self) {
            try VendorStatisticsReader(device: "vdpa0", netlink: netlink).read([0, 1])
        }
        #expect(error?.errno == .timedOut)
        #expect(error?.call == "VDPA_CMD_DEV_VSTATS_GET(device: vdpa0, queues: 0, 1)")
    }

    @Test(
        "a child has none of this process's files, whatever it waits for: a pipe that is closed here is at its end"
    )
    func holdsNothing() throws {
        let pipe = try FileDescriptor.pipe()
        defer { try? pipe.readEnd.close() }
        var child = clinux_netlink_child()
        var buffer = [UInt8](repeating: 0, count: 64)
        let request = Self.unanswered.encoded
        let result = unsafe clinux_netlink_ask(request, request.count, 1, &buffer, buffer.count, &child)
        #expect(result == 0)
        defer {
            kill(child.process, SIGKILL)
            waitpid(child.process, nil, 0)
            close(child.answers)
        }
        try pipe.writeEnd.close()
        // Returns at once, or the child has the other end and the time limit strikes.
        var byte: UInt8 = 0
        #expect(try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe pipe.readEnd.read(into: $0) } == 0)
    }
}
