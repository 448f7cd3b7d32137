import CLinux
import Glibc
import Testing

@testable import ForeignPrograms

/// What a call of a program closes, by its arguments.
@Suite("The descriptors that a call closes") struct ClosedDescriptorsTests {
    private func closed(_ number: Int32, _ arguments: UInt64..., open: Set<Int32> = []) -> ClosedDescriptors?
    {
        var notification = clinux_notification()
        notification.call = number
        let words = arguments + Array(repeating: 0, count: 6 - arguments.count)
        notification.arguments = (words[0], words[1], words[2], words[3], words[4], words[5])
        return ClosedDescriptors(CallNotification(notification), isOpen: { open.contains($0) })
    }

    @Test("close(2) closes its own, of which the kernel sees 32 bits")
    func close() {
        #expect(closed(clinux_call_close, 7) == .one(7))
        #expect(closed(clinux_call_close, 1 << 32 | 7) == .one(7))
    }

    @Test("a duplicate closes what it replaces, unless the kernel refuses it or there is nothing to replace")
    func duplicates() {
        for call in [clinux_call_dup2, clinux_call_dup3] {
            #expect(closed(call, 3, 7, open: [3]) == .one(7))
            #expect(closed(call, 3, 7) == nil)
            #expect(closed(call, 7, 7, open: [7]) == nil)
        }
        #expect(closed(clinux_call_dup3, 3, 7, UInt64(O_CLOEXEC), open: [3]) == .one(7))
        #expect(closed(clinux_call_dup3, 3, 7, 1, open: [3]) == nil)
    }

    @Test("close_range(2) closes all from the first to the last, unless a flag says otherwise")
    func range() throws {
        let all = try #require(closed(clinux_call_close_range, 7, 9))
        #expect([6, 7, 9, 10].map { all.contains($0) } == [false, true, true, false])
        let rest = try #require(closed(clinux_call_close_range, 7, UInt64(UInt32.max)))
        #expect(rest.contains(7) && rest.contains(.max) && !rest.contains(-1))
        #expect(closed(clinux_call_close_range, 9, 7) == nil)
        for flag: UInt64 in [1 << 1, 1 << 2] {  // CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC
            #expect(closed(clinux_call_close_range, 7, 9, flag) == nil)
        }
    }

    @Test("another call closes nothing")
    func others() { #expect(closed(clinux_call_ioctl, 7) == nil) }
}
