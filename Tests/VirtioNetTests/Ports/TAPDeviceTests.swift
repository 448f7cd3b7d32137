import CIOUring
import Glibc
import IOUring
import SystemPackage
import TestSupport
import Testing

@testable import VirtioNet

@Suite(.enabled(if: NetworkNamespace.missing == nil, "\(NetworkNamespace.missing ?? "")"))
struct TAPDeviceTests {
    /// An ARP request for 192.0.2.1 from 192.0.2.2, behind a header that asks for nothing.
    static let request: [UInt8] =
        [UInt8](repeating: 0, count: NetworkHeader.byteCount)
        + [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 2, 0x08, 0x06]
        + [0, 1, 8, 0, 6, 4, 0, 1, 0x02, 0, 0, 0, 0, 2, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]

    @Test("A TAP in another namespace carries frames both ways through a ring of ours")
    func exchange() throws {
        let namespace = try NetworkNamespace()
        let tap = try TAPDevice(name: "emu0", namespace: namespace.name)
        namespace.expect("ip address add 192.0.2.1/24 dev emu0")
        namespace.expect("ip link set emu0 up")
        var ring = try IOUring(submissionEntries: 8, completionEntries: 8)
        let file = tap.descriptor
        let out = UnsafeMutableRawBufferPointer.allocate(
            byteCount: TAPDeviceTests.request.count, alignment: 8)
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 8)
        defer {
            unsafe out.deallocate()
            unsafe input.deallocate()
        }
        unsafe out.copyBytes(from: TAPDeviceTests.request)

        let wrote = unsafe ring.write(file, from: .init(out), userData: UserData(kind: 1))
        try #require(wrote)
        try ring.submitAndWait(count: 1)
        #expect(ring.nextCompletion()?.result == Int32(TAPDeviceTests.request.count))

        let polled = ring.pollAdd(file, .input, multishot: false, userData: UserData(kind: 2))
        try #require(polled)
        try ring.submitAndWait(count: 1)
        #expect(ring.nextCompletion()?.events.contains(.input) == true)
        let read = unsafe ring.read(file, into: input, userData: UserData(kind: 3))
        try #require(read)
        try ring.submitAndWait(count: 1)
        let next = ring.nextCompletion()
        let completion = try #require(next)
        #expect(completion.result == Int32(TAPDeviceTests.request.count))

        let reply = unsafe [UInt8](input.prefix(Int(max(completion.result, 0))))
        let frame = reply.dropFirst(NetworkHeader.byteCount)
        #expect(Array(frame.prefix(6)) == [0x02, 0, 0, 0, 0, 2])
        #expect(Array(frame.dropFirst(12).prefix(10)) == [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2])
        #expect(Array(frame.dropFirst(28).prefix(4)) == [192, 0, 2, 1])
    }

    @Test("The calling thread stays in its own namespace")
    func ownNamespace() throws {
        let namespace = try NetworkNamespace()
        _ = try TAPDevice(name: "emu0", namespace: namespace.name)
        var before = stat()
        var after = stat()
        unsafe stat("/proc/self/ns/net", &before)
        unsafe stat("/proc/thread-self/ns/net", &after)
        #expect(before.st_ino == after.st_ino)
        var inside = stat()
        unsafe stat("/run/netns/\(namespace.name)", &inside)
        #expect(inside.st_ino != after.st_ino)
    }

    @Test("Reading where nothing has come does not block")
    func nonBlocking() throws {
        let namespace = try NetworkNamespace()
        let tap = try TAPDevice(name: "emu0", namespace: namespace.name)
        namespace.expect("ip link set emu0 up")
        var bytes = [UInt8](repeating: 0, count: 2048)
        let descriptor = tap.descriptor
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            _ = unsafe try bytes.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
        }
    }

    @Test("A ring's read that does not wait says at once that nothing has come")
    func noWait() throws {
        let namespace = try NetworkNamespace()
        let tap = try TAPDevice(name: "emu0", namespace: namespace.name)
        namespace.expect("ip link set emu0 up")
        var ring = try IOUring(submissionEntries: 8, completionEntries: 8)
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 8)
        defer { unsafe input.deallocate() }
        let queued = unsafe ring.read(
            tap.descriptor, into: input, waits: false, userData: UserData(kind: 3))
        try #require(queued)
        // Nothing ever comes, so a read that waited would be counted by this time-out and not as an answer.
        try ring.submitAndWait(count: 1, timeout: .seconds(10))
        #expect(ring.nextCompletion()?.error == .resourceTemporarilyUnavailable)
    }

    @Test("An interface that was made by attaching vanishes with its descriptor; a persistent one stays")
    func lifetime() throws {
        let namespace = try NetworkNamespace()
        namespace.expect("ip tuntap add kept mode tap vnet_hdr")
        do {
            let made = try TAPDevice(name: "made", namespace: namespace.name)
            let kept = try TAPDevice(name: "kept", namespace: namespace.name)
            namespace.expect("ip link show \(made.name)")
            namespace.expect("ip link show \(kept.name)")
        }
        // A process that another test is just starting holds every descriptor until it executes its program.
        #expect(eventually { !namespace.run("ip link show made") })
        namespace.expect("ip link show kept")
    }

    @Test("An interface that attaching had to make is known, and so is one that was there")
    func wasMade() throws {
        let namespace = try NetworkNamespace()
        namespace.expect("ip tuntap add there mode tap vnet_hdr")
        let there = try TAPDevice(name: "there", namespace: namespace.name)
        let made = try TAPDevice(name: "made", namespace: namespace.name)
        let (isThere, isMade) = (!there.wasMade, made.wasMade)
        #expect(isThere && isMade)
    }

    @Test("Whether an interface is up, and its MTU, are as they are now; one that is gone is neither")
    func status() throws {
        let namespace = try NetworkNamespace()
        namespace.expect("ip tuntap add emu0 mode tap vnet_hdr")
        let tap = try TAPDevice(name: "emu0", namespace: namespace.name)
        let first = tap.status
        #expect(first == TAPDevice.Status(isUp: false, mtu: 1500))
        namespace.expect("ip link set emu0 mtu 9000 up")
        let second = tap.status
        #expect(second == TAPDevice.Status(isUp: true, mtu: 9000))
        let isUp = tap.isUp
        namespace.expect("ip link del emu0")
        let third = tap.status
        let isUpAfter = tap.isUp
        #expect(isUp && third == nil && !isUpAfter)
        #expect(TAPDevice.status(name: "lo", namespace: namespace.name) != nil)
        #expect(TAPDevice.status(name: "lo", namespace: "emu-test-there-is-none") == nil)
    }

    @Test("A TAP that is attached already is busy")
    func busy() throws {
        let namespace = try NetworkNamespace()
        let first = try TAPDevice(name: "emu0", namespace: namespace.name)
        let error = refusal(name: first.name, namespace: namespace.name)
        #expect(error?.code == .busy)
        #expect(error?.errno == .resourceBusy)
    }

    @Test("A TAP of several queues has a descriptor for each, and one of one queue has no other")
    func severalQueues() throws {
        let namespace = try NetworkNamespace()
        let first = try TAPDevice(name: "emu0", namespace: namespace.name, hasSeveralQueues: true)
        let second = try first.anotherQueue()
        let hasSecond = second != nil
        #expect(hasSecond)
        namespace.expect("ip link set emu0 up")
        namespace.expect("test -d /sys/class/net/emu0/queues/tx-1")
        let single = try TAPDevice(name: "emu1", namespace: namespace.name)
        let none = try single.anotherQueue() == nil
        #expect(none)
    }

    @Test("A TAP is of one queue or of several, for good: the other kind is refused with how to make it")
    func otherKind() throws {
        let namespace = try NetworkNamespace()
        namespace.expect("ip tuntap add single mode tap vnet_hdr")
        namespace.expect("ip tuntap add several mode tap vnet_hdr multi_queue")
        let one = refusal(name: "single", namespace: namespace.name, hasSeveralQueues: true)
        let exec = "ip netns exec \(namespace.name) ip"
        #expect(
            one?.context
                == "TAP 'single' in namespace '\(namespace.name)' has one queue: give the device one queue pair, or"
                + " delete it with '\(exec) link del single' and make it with '\(exec) tuntap add single mode tap vnet_hdr"
                + " multi_queue'")
        let several = refusal(name: "several", namespace: namespace.name)
        #expect(
            several?.context
                == "TAP 'several' in namespace '\(namespace.name)' has several queues: give the device two queue pairs"
                + " or more, or delete it with '\(exec) link del several' and make it with '\(exec) tuntap add several mode"
                + " tap vnet_hdr'")
        #expect(one?.code == .busy && several?.code == .busy)
    }

    @Test("An interface that was renamed, moved or deleted is not where it was; one that is down is")
    func hasMoved() throws {
        let namespace = try NetworkNamespace()
        let other = try NetworkNamespace()
        for name in ["ta", "tb", "tc", "td"] { namespace.expect("ip tuntap add \(name) mode tap vnet_hdr") }
        func hasMoved(_ name: String) -> Bool {
            PortSpecification.tap(name: name, namespace: namespace.name).hasMoved
        }
        #expect(!hasMoved("ta") && !hasMoved("tb") && !hasMoved("tc") && !hasMoved("td"))
        namespace.expect("ip link set ta name tz")
        namespace.expect("ip link set tb netns \(other.name)")
        namespace.expect("ip link del tc")
        #expect(hasMoved("ta") && hasMoved("tb") && hasMoved("tc") && !hasMoved("td"))
        // What cannot be asked says nothing.
        #expect(!PortSpecification.tap(name: "ta", namespace: "emu-test-there-is-none").hasMoved)
        #expect(!PortSpecification.generator.hasMoved)
    }

    @Test("An interface that is no TAP is refused as that, and nobody is told to delete it")
    func notTAP() throws {
        let namespace = try NetworkNamespace()
        namespace.expect("ip tuntap add tun0 mode tun multi_queue")
        for name in ["lo", "tun0"] {
            let error = refusal(name: name, namespace: namespace.name)
            #expect(error?.code == .busy)
            #expect(error?.context.hasSuffix("exists and is no TAP: name another") == true)
        }
    }

    @Test("A namespace that does not exist is refused by name")
    func noNamespace() {
        let error = refusal(name: "emu0", namespace: "emu-test-there-is-none")
        #expect(error?.code == .noNamespace)
        #expect(error?.context.contains("emu-test-there-is-none") == true)
    }

    @Test("A name too long for an interface is refused before the kernel is asked")
    func longName() {
        #expect(refusal(name: "sixteen_bytes_xx", namespace: nil)?.code == .badSpecification)
    }

    private func refusal(name: String, namespace: String?, hasSeveralQueues: Bool = false) -> PortError? {
        do throws(PortError) {
            _ = try TAPDevice(name: name, namespace: namespace, hasSeveralQueues: hasSeveralQueues)
            return nil
        } catch {
            return error
        }
    }

    @Test("A TAP is claimed as one whatever name its namespace goes by, and as another in another namespace")
    func claims() throws {
        let namespace = try NetworkNamespace()
        let other = try NetworkNamespace()
        let alias = "\(namespace.name)-too"
        let path = "/run/netns/\(alias)"
        defer { unsafe system("umount \(path) 2>/dev/null; rm -f \(path)") }
        try #require(unsafe system("touch \(path) && mount --bind /run/netns/\(namespace.name) \(path)") == 0)
        func claims(_ name: String, _ namespace: String?) -> [PortClaim] {
            TAPPort(name: name, namespace: namespace).claims
        }
        #expect(claims("ta", namespace.name) == claims("ta", alias))
        #expect(claims("ta", namespace.name) != claims("tb", alias))
        #expect(claims("ta", namespace.name) != claims("ta", other.name))
        #expect(claims("ta", nil) != claims("ta", alias))
    }
}
