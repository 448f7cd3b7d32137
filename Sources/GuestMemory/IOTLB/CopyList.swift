internal import CLinux
internal import Glibc

/// Copies between memory here and memory of a process, which is this one or another: made together, a system call for a
/// thousand of them.
///
/// The copies are made one after the other. No byte is copied twice, and nobody promises that two of them go together.
@safe
package struct CopyList: ~Copyable {
    /// The most copies of one call (UIO_MAXIOV of include/uapi/linux/uio.h).
    private static let callLimit = 1024

    private var here: [iovec] = unsafe []
    private var there: [iovec] = unsafe []
    private var processes: [Int32] = []

    /// No copies.
    package init() {}

    /// The number of copies.
    package var count: Int { processes.count }

    /// Forgets the copies.
    package mutating func removeAll() {
        unsafe here.removeAll(keepingCapacity: true)
        unsafe there.removeAll(keepingCapacity: true)
        processes.removeAll(keepingCapacity: true)
    }

    /// Adds a copy of `byteCount` bytes, more than none, between `here` and `place`. The memory here must stay.
    package mutating func add(_ here: HostAddress, _ place: MemoryPlace, byteCount: Int) {
        unsafe self.here.append(
            iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt(here.rawValue)), iov_len: byteCount))
        unsafe there.append(
            iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt(place.address)), iov_len: byteCount))
        processes.append(place.process)
    }

    /// Copies from the processes. Returns which copies could not be made, in their order.
    package func read() -> [Int] { make(isWrite: false) }

    /// Copies to the processes. Returns which copies could not be made, in their order.
    package func write() -> [Int] { make(isWrite: true) }

    private func make(isWrite: Bool) -> [Int] {
        var failed: [Int] = []
        var next = 0
        while next < count {
            var end = next + 1
            while end < count, end - next < Self.callLimit, processes[end] == processes[next] { end += 1 }
            let copied = unsafe here.withUnsafeBufferPointer { here in
                unsafe there.withUnsafeBufferPointer { there in
                    guard let here = here.baseAddress, let there = there.baseAddress else { return 0 }
                    return unsafe clinux_foreign_copies(
                        processes[next], here + next, there + next, UInt(end - next), isWrite ? 1 : 0)
                }
            }
            // Nobody is there any more.
            guard copied != -Int(ESRCH) else {
                failed.append(contentsOf: next..<end)
                next = end
                continue
            }
            var left = max(0, copied)
            while next < end, left >= (unsafe there[next].iov_len) {
                left -= unsafe there[next].iov_len
                next += 1
            }
            guard next < end else { continue }
            failed.append(next)
            next += 1
        }
        return failed
    }
}

/// Where memory is: an address of a process.
package struct MemoryPlace: Hashable, Sendable {
    /// The process's number.
    package let process: Int32
    /// The address that it has there.
    package let address: UInt64

    /// Makes a place of its parts; nothing is checked before a copy.
    package init(process: Int32, address: UInt64) {
        self.process = process
        self.address = address
    }

    /// The place so many bytes further on.
    package func advanced(by byteCount: Int) -> MemoryPlace {
        MemoryPlace(process: process, address: address &+ UInt64(byteCount))
    }

    /// A place in this process.
    package init(here address: HostAddress) {
        self.init(process: getpid(), address: address.rawValue)
    }
}
