import Testing

@testable import emu

/// The last close of a device's file, however a program makes it: the device is released before the program goes on.
@Suite(.timeLimit(.minutes(15))) struct ForeignCloseTests {
    /// Ways to close the only descriptor. The device's own number is seen by the filter; another is not.
    private static let seen = ["close", "close-range", "replace", "replace3", "close-from 900"]
    private static let unseen = ["dup2 5 close use 5 close", "dup2 5 close use 5 replace"]

    private static let opened = "open /dev/vhost-vdpa-0 ioctl set-owner memory memfd 65536 map 0 65536"

    @Test("no page is pinned for a program that asks right after its last close", arguments: seen + unseen)
    func pins(close: String) throws {
        let answers = try ForeignClient.run(
            "repeat 30 \(Self.opened) pinned \(close) pinned", on: "sim,use-va=off")
        #expect(answers.status == 0, "\(answers.errors)")
        #expect(answers.of("pinned") == Array(repeating: ["64", "0"], count: 30).flatMap(\.self))
    }

    @Test("emu has none of the program's memory mapped when its last close returns", arguments: seen)
    func memory(close: String) throws {
        let answers = try ForeignClient.run("repeat 30 \(Self.opened) elsewhere \(close) elsewhere")
        #expect(answers.status == 0, "\(answers.errors)")
        #expect(answers.of("elsewhere") == Array(repeating: ["1", "0"], count: 30).flatMap(\.self))
    }

    @Test("a close that is not the last one, or that the kernel refuses, releases nothing")
    func notTheLast() throws {
        let answers = try ForeignClient.run(
            "\(Self.opened) dup2 5 close elsewhere use 5 ioctl get-status elsewhere")
        #expect(answers.of("close") == ["0"] && answers.of("get-status") == ["0"], "\(answers)")
        #expect(answers.of("elsewhere") == ["1", "1"])
        let refused = try ForeignClient.run("\(Self.opened) over 77 over-flags 1 elsewhere ioctl get-status")
        #expect(refused.of("over") == ["EBADF"] && refused.of("over-flags") == ["EINVAL"], "\(refused)")
        #expect(refused.of("elsewhere") == ["1"] && refused.of("get-status") == ["0"])
    }

    @Test("a forked child's close is not its parent's, nor is an exec's that keeps the descriptor")
    func inherited() throws {
        let child = try ForeignClient.run("\(Self.opened) dup2 5 fork close exec use 5 ioctl get-status stat")
        #expect(child.status == 0 && child.of("get-status") == ["0"], "\(child)")
    }

    @Test(
        "a device that an exec has closed, or a descriptor that was lost on its way, is opened again at once")
    func lost() throws {
        let closed = try ForeignClient.run("open-cloexec /dev/vhost-vdpa-0 exec open /dev/vhost-vdpa-0")
        #expect(
            closed.of("open").allSatisfy { Int($0) ?? 0 > 900 } && !closed.of("open").isEmpty, "\(closed)")
    }
}
