import Logging
import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPAConformance

@testable import DeviceScripts

@Suite("A script that is played", .timeLimit(.minutes(15)))
struct PlayerTests {
    static func target(_ specification: String = "sim,profile=vdpasim-net") throws -> ScriptTarget {
        let opener = try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: specification), logger: .quiet)
        return ScriptTarget(settle: opener.settle, callFromChild: opener.ioctlFromChild, open: opener.open)
    }

    /// Differences of a script's own expectations, as text.
    private func differences(_ text: String, _ specification: String = "sim,profile=vdpasim-net") throws
        -> [String]
    {
        let script = try DeviceScript(parsing: text)
        let answers = try ScriptPlayer.play(script, on: Self.target(specification))
        return script.differences(from: answers).map { "\($0.line + 1): \($0.seen)" }
    }

    @Test("gives each call's answer: numbers, bytes, ranges, errors, and nothing but success")
    func answers() throws {
        #expect(
            try differences(
                """
                open -> ok
                open second -> EBUSY
                second.GET_STATUS -> EBADF
                GET_FEATURES -> 0x308830028
                GET_DEVICE_ID -> 1
                GET_CONFIG_SIZE -> 24
                GET_IOVA_RANGE -> 0x0..0xffffffffffffffff
                GET_STATUS @null -> EFAULT
                SET_VRING_NUM index=0 num=8 -> EPERM
                SET_OWNER -> ok
                SET_OWNER -> EBUSY
                child SET_VRING_NUM index=0 num=8 -> EPERM
                SET_VRING_NUM index=0 num=8 -> ok
                SET_VRING_NUM index=9 num=8 -> ENOBUFS
                GET_VRING_GROUP index=2 -> 1
                IOCTL 0x4008afee bytes=0000000000000000 -> ENOTTY
                memory ram 64K shared
                UPDATE iova=0x1000 size=0x1000 memory=ram+0x0 access=rw -> ok
                UPDATE iova=0x1000 size=0x1000 memory=ram+0x0 access=rw -> EFAULT
                write bytes=020000 -> EINVAL
                map queue=0 length=4096 -> ENOTSUPP
                close -> ok
                GET_STATUS -> EBADF
                """) == [])
    }

    @Test("has eventfds that count, memory that permits what it was made with, and holes in it")
    func process() throws {
        #expect(
            try differences(
                """
                eventfd kick
                take kick -> EAGAIN
                signal kick count=5
                signal kick
                take kick -> 6
                eventfd full count=18446744073709551614
                signal full -> EAGAIN
                memory ram 12K shared
                store ram+0xfff bytes=0102
                load ram+0xffe length=4 -> bytes=00010200
                protect ram+0x0 4K read
                store ram+0x0 bytes=01 -> EFAULT
                unmap ram+0x1000 4K
                load ram+0x1000 length=1 -> EFAULT
                load ram+0x2000 length=1 -> bytes=00
                memory text 4K readonly
                store text+0x0 bytes=01 -> EFAULT
                """) == [])
    }

    /// A transmit ring of two at 0x1000 with one frame of 72 bytes at 0x2000, and an empty receive ring, which vdpa_sim_net
    /// wants ready too.
    static let frame = """
        open
        SET_OWNER
        memory ram 8K shared
        UPDATE iova=0x1000 size=0x2000 memory=ram+0x0 access=rw
        store ram+0x0 bytes=00200000000000004800000000000000
        store ram+0x100 bytes=000001000000
        SET_STATUS 0x3
        SET_FEATURES 0x300000000
        SET_STATUS 0xb
        SET_VRING_NUM index=1 num=2
        SET_VRING_BASE index=1 num=0
        SET_VRING_ADDR index=1 desc=0x1000 avail=0x1100 used=0x1200
        SET_VRING_NUM index=0 num=2
        SET_VRING_ADDR index=0 desc=0x1400 avail=0x1500 used=0x1600
        SET_VRING_ENABLE index=0 num=1
        eventfd kick
        eventfd call
        SET_VRING_KICK index=1 fd=kick
        SET_VRING_CALL index=1 fd=call
        SET_VRING_ENABLE index=1 num=1
        SET_STATUS 0xf
        signal kick
        settle
        load ram+0x200 length=8 -> bytes=0000010000000000
        take call -> 1
        GET_VRING_BASE index=1 -> 1

        """

    @Test("carries frames: what memory holds is served when its kick is signalled")
    func traffic() throws {
        #expect(try differences(Self.frame) == [])
    }

    @Test("has a difference where one answer was changed, at that line")
    func changedAnswer() throws {
        let text = Self.frame.replacing("GET_VRING_BASE index=1 -> 1", with: "GET_VRING_BASE index=1 -> 2")
        #expect(try differences(text) == ["26: number(1)"])
        #expect(try differences(text.replacing("-> 2", with: "-> ?2")) == [])
    }

    @Test(
        "is refused before its first step where it speaks of what it has not made",
        arguments: [
            ("signal kick", "there is no eventfd kick"), ("store ram+0x0 bytes=00", "there is no memory ram"),
            ("SET_VRING_KICK index=0 fd=kick", "there is no eventfd kick"),
            ("UPDATE size=1 memory=ram+0x0", "there is no memory ram"),
            ("memory a 4K shared\nmemory a 4K shared", "there is a a already"),
            ("memory a 4097 shared", "no whole number of pages"),
            ("memory a 4K shared\nload a+0xfff length=2", "outside its memory"),
            ("memory a 4K shared\nunmap a+0x10 4K", "outside its memory"),
            ("memory a 8K shared\nunmap a+0x10 4K", "only whole pages"),
            ("memory a 2M shared\nload a+0x0 length=1048577", "no more than 1048576 bytes"),
            ("memory a 64T shared\nmemory b 64T shared", "more memory than an address space has"),
        ])
    func refused(text: String, reason: String) throws {
        let script = try DeviceScript(parsing: text)
        var played = 0
        let error = #expect(throws: ScriptProblem.self) {
            try ScriptPlayer.play(script, on: Self.target()) { _, _ in played += 1 }
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(reason))
        #expect(played == 0)
    }

    @Test("ends where somebody asks it to, in the midst of a pause too")
    func interrupted() throws {
        let script = try DeviceScript(parsing: "open\npause 3600000ms\nGET_STATUS\n")
        var target = try Self.target()
        var looks = 0
        target.isInterrupted = {
            looks += 1
            return looks > 3
        }
        let answers = try ScriptPlayer.play(script, on: target)
        #expect(answers.count == 3 && answers[0] == .ok && answers[2] == nil)
    }

    @Test("is shortened to the calls that still show a difference")
    func minimised() throws {
        let script = try DeviceScript(parsing: Self.frame)
        let target = try Self.target()
        let short = try ScriptMinimiser().minimise(script) { (script) throws(ScriptProblem) in
            guard script.steps.last?.description == "GET_VRING_BASE index=1" else { return false }
            return try ScriptPlayer.play(script, on: target).last == .some(.some(.number(1)))
        }
        // What is left is what brings the ring to 1, and the question.
        #expect(short.lines.count < script.lines.count)
        #expect(short.lines.last?.step?.description == "GET_VRING_BASE index=1")
        #expect(!short.description.contains("take call"))
    }

    @Test(
        "a shortened script still waits where a kick goes before: without it the answer would be a matter of time"
    )
    func minimisedWaits() throws {
        let script = try DeviceScript(
            parsing:
                "open\neventfd kick\nGET_CONFIG_SIZE\nsignal kick\nGET_DEVICE_ID\nsettle\nGET_STATUS\nclose\n"
        )
        let short = try ScriptMinimiser().minimise(script) { (script) throws(ScriptProblem) in
            let steps = script.steps.map(\.description)
            return steps.contains("signal kick") && steps.contains("GET_STATUS")
        }
        #expect(short.steps.map(\.description) == ["eventfd kick", "signal kick", "settle", "GET_STATUS"])
    }
}
