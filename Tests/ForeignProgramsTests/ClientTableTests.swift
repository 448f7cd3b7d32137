import CLinux
import Glibc
import SimulatedVDPA
import SystemPackage
import Testing

@testable import ForeignPrograms

/// Who calls: an address space, whichever thread and process it is.
@Suite("The address spaces that call a device") struct ClientTableTests {
    /// A process that lives until the test ends it, and the number of a thread of it.
    private func withChild(_ words: [String], _ body: (Int32) throws -> Void) throws {
        var process: pid_t = 0
        let result = unsafe CArguments(words).withPointer { arguments in
            unsafe posix_spawnp(&process, words[0], nil, nil, arguments, nil)
        }
        try #require(result == 0)
        defer {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        try body(process)
    }

    @Test("one process is the same caller each time, another one is another")
    func processes() throws {
        var clients = ClientTable()
        defer { clients.forget() }
        try withChild(["sleep", "100"]) { one in
            try withChild(["sleep", "100"]) { other in
                let first = clients.caller(thread: one)
                #expect(clients.caller(thread: one) == first)
                #expect(clients.caller(thread: other) != first)
                #expect(clients.caller(thread: other) == clients.caller(thread: other))
                #expect(clients.caller(thread: one) == first)
            }
        }
    }

    @Test("a process that has ended is nobody again: whoever has its number is another caller")
    func ended() throws {
        var clients = ClientTable()
        defer { clients.forget() }
        var first: SimulatedCaller?
        try withChild(["sleep", "100"]) { first = clients.caller(thread: $0) }
        try withChild(["sleep", "100"]) { #expect(clients.caller(thread: $0) != first) }
    }
}

/// A process that ends while its call is answered.
@Suite("A caller that has ended") struct EndedCallerTests {
    @Test(
        "has no memory, no areas and no descriptors, and nothing of the simulation's own has failed by that")
    func ended() throws {
        var process: pid_t = 0
        let result = unsafe CArguments(["true"]).withPointer { arguments in
            unsafe posix_spawnp(&process, "true", nil, nil, arguments, nil)
        }
        try #require(result == 0)
        waitpid(process, nil, 0)
        let caller = CallerProcess(thread: process)
        let failure = SimulationFailure.description
        #expect(throws: Errno.badAddress) { try caller.copy(at: 4096, count: 8) }
        #expect(throws: Errno.self) { try caller.mappings(0..<4096) }
        #expect(throws: Errno.self) { try EventFile(callerDescriptor: 0, of: caller) }
        #expect(!caller.hasDescriptor(0) && caller.path(at: 4096, atMost: 8) == nil)
        #expect(SimulationFailure.description == failure)
    }
}

/// What of another process is read, and how.
@Suite("Another process's memory and files") struct ForeignFilesTests {
    private let own = CallerProcess(thread: getpid())

    @Test("a string is read up to its end, and not beyond the limit or into a hole", arguments: [1, 20, 63])
    func paths(byteCount: Int) throws {
        let text = String(repeating: "a", count: byteCount)
        let copy = unsafe strdup(text)
        defer { unsafe free(copy) }
        let address = UInt(bitPattern: copy)
        #expect(own.path(at: address, atMost: 64) == text)
        #expect(own.path(at: address, atMost: byteCount) == nil)
        #expect(own.path(at: 8, atMost: 64) == nil)
    }

    @Test("a string at the end of the last page before a hole is read")
    func pageEnd() throws {
        let page = 4096
        guard
            let start = unsafe mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        else { return }
        defer { unsafe munmap(start, page) }
        let address = UInt(bitPattern: start)
        unsafe munmap(start + page, page)
        for (index, byte) in Array("abc".utf8).enumerated() {
            unsafe start.storeBytes(of: byte, toByteOffset: page - 4 + index, as: UInt8.self)
        }
        #expect(own.path(at: address + UInt(page) - 4, atMost: 64) == "abc")
        unsafe start.storeBytes(of: 0x64, toByteOffset: page - 1, as: UInt8.self)
        #expect(own.path(at: address + UInt(page) - 4, atMost: 64) == nil)
    }

    @Test(
        "a descriptor is a device's by the lock that its file holds, in a duplicate too; without one it is not"
    )
    func placeholder() throws {
        var number: Int32 = -1
        let made = unsafe clinux_make_placeholder(4711, &number)
        try #require(made == 0)
        defer { close(number) }
        let copy = dup(number)
        #expect(own.lockedByte(number) == 4711 && own.lockedByte(copy) == 4711)
        #expect(own.hasDescriptor(copy))
        close(copy)
        #expect(!own.hasDescriptor(copy) && own.lockedByte(copy) == nil)
        #expect(own.lockedByte(0) == nil)
    }

    @Test("a device's file is a character device that no driver of this machine has")
    func node() throws {
        let node = DeviceNode(major: DeviceNode.freeMajor(), minor: 3)
        let bytes = try node.status(mask: nil)
        let found = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: stat.self) }
        #expect(found.st_mode & S_IFMT == S_IFCHR)
        #expect(gnu_dev_major(found.st_rdev) == node.major && gnu_dev_minor(found.st_rdev) == 3)
        let isDrivers = unsafe access("/sys/dev/char/\(node.major):3", F_OK) == 0
        #expect(!isDrivers)
        #expect(try node.status(mask: 0x7ff).count == 256)
    }
}
