import Testing

@testable import emu

/// Calls on a device's file that are seldom made: on duplicates of any number, in pieces, by 32-bit programs.
@Suite(.timeLimit(.minutes(15))) struct ForeignCallTests {
    private static let opened = "open /dev/vhost-vdpa-0 ioctl set-owner memory memfd 65536"

    @Test(
        "a duplicate of whatever number is the device: requests, messages, what it is",
        arguments: ["dup2 5 use 5", "dup3 400 use 400", "dup2 5 close use 5", "send", "dup2 5 use 5 exec"])
    func duplicates(way: String) throws {
        let answers = try ForeignClient.run(
            "open /dev/vhost-vdpa-0 stat \(way) ioctl get-device-id ioctl set-owner memory memfd 65536"
                + " map 0 65536 unmap 0 65536 stat")
        #expect(answers.status == 0 && answers.of("get-device-id") == ["1"], "\(answers)")
        #expect(answers.of("map") == ["72"] && answers.of("unmap") == ["72"])
        #expect(answers.of("stat").count == 2 && Set(answers.of("stat")).count == 1)
    }

    @Test("a doorbell's mmap of a duplicate has the answer that it has of the device's own descriptor")
    func doorbell() throws {
        let answers = try ForeignClient.run("open /dev/vhost-vdpa-0 doorbell 0 dup2 5 use 5 doorbell 0")
        #expect(answers.of("doorbell") == ["errno 524", "errno 524"], "\(answers)")
    }

    @Test("reopening a descriptor by /proc/self/fd is another open of the device: busy")
    func reopening() throws {
        let answers = try ForeignClient.run("open /dev/vhost-vdpa-0 reopen dup2 5 use 5 reopen use 0 reopen")
        #expect(answers.of("reopen").prefix(2) == ["EBUSY", "EBUSY"], "\(answers)")
        #expect(answers.of("reopen").last.flatMap { Int($0) } ?? -1 > 0)
    }

    @Test("one message in two pieces is a message, as the kernel gathers it")
    func pieces() throws {
        let answers = try ForeignClient.run(
            "\(Self.opened) map-writev 0 65536 pinned map-writev 0 65536 unmap 0 65536 pinned",
            on: "sim,use-va=off")
        #expect(answers.of("map-writev") == ["72", "EFAULT"], "\(answers)")
        #expect(answers.of("pinned") == ["64", "0"])
    }

    @Test("a 32-bit call finds no device, and emu says so once")
    func narrow() throws {
        let answers = try ForeignClient.run(
            "open32 /dev/vhost-vdpa-0 open32 /dev/vhost-vdpa-0 open32 /dev/null")
        #expect(answers.status == 0 && answers.of("open32").prefix(2) == ["ENOENT", "ENOENT"], "\(answers)")
        #expect(answers.of("open32").last.flatMap { Int($0) } ?? -1 > 0)
        #expect(answers.errors.ranges(of: "32-bit").count == 1)
    }
}
