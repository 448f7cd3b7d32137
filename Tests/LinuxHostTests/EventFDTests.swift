import SystemPackage
import Testing

@testable import LinuxHost

@Suite struct EventFDTests {
    @Test("Signals add up until somebody drains", arguments: [0, 1, 7])
    func adds(count: Int) throws {
        let event = try EventFD()
        for _ in 0..<count { event.signal() }
        #expect(event.drain() == UInt64(count))
        #expect(event.drain() == 0)
    }

    @Test("A duplicate is the same eventfd and outlives its original")
    func duplicate() throws {
        let copy: EventFD
        do {
            let event = try EventFD(initial: 2)
            copy = try EventFD(duplicating: event.descriptor)
            event.signal()
            #expect(copy.descriptor != event.descriptor)
        }
        #expect(copy.drain() == 3)
    }

    @Test("A descriptor that is not open is refused")
    func notOpen() {
        #expect(throws: Errno.badFileDescriptor) {
            _ = try EventFD(duplicating: FileDescriptor(rawValue: -1))
        }
    }

    @Test("A signal that reaches nobody says why")
    func lostSignal() throws {
        let event = try EventFD()
        #expect(event.signal() == nil)
        #expect(EventFD.signal(FileDescriptor(rawValue: 1 << 24)) == .badFileDescriptor)
    }

    @Test("A saturated counter stays signalled and blocks nobody")
    func saturated() throws {
        let event = try EventFD()
        var most = UInt64.max - 1
        let written = try unsafe withUnsafeBytes(of: &most) { try unsafe event.descriptor.write($0) }
        #expect(written == 8)
        event.signal()
        #expect(event.drain() == most)
    }

    @Test("A wait ends with a signal and leaves the counter, or ends with its time")
    func wait() throws {
        let event = try EventFD()
        event.wait(milliseconds: 1)
        #expect(event.drain() == 0)
        event.signal()
        event.wait(milliseconds: -1)
        #expect(event.drain() == 1)
    }

    @Test("A shared eventfd stays open while it has an owner")
    func shared() throws {
        let original = try EventFD()
        var first: SharedEventFD? = try SharedEventFD(duplicating: original.descriptor)
        let second = try #require(first)
        first = nil
        withExtendedLifetime(second) {
            #expect(EventFD.signal(second.descriptor) == nil)
            #expect(second.event.signal() == nil)
        }
        #expect(original.drain() == 2)
    }

    @Test(
        "A wait ends with a signal, and leaves the counter", arguments: [nil, .seconds(600)] as [Duration?])
    func waitEnds(_ duration: Duration?) throws {
        let event = try EventFD()
        event.signal()
        event.wait(atMost: duration)
        #expect(event.drain() == 1)
    }

    @Test(
        "A wait without a signal ends by itself",
        arguments: [.zero, .nanoseconds(1), .seconds(-5)] as [Duration])
    func waitIsOver(_ duration: Duration) throws {
        let event = try EventFD()
        event.wait(atMost: duration)
        #expect(event.drain() == 0)
    }
}
