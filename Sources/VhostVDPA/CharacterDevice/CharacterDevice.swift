public import SystemPackage

/// `/dev/vhost-vdpa-N` as a process sees it: the seam between the real kernel and the simulated one.
///
/// The seam is the system call, not a typed call: encoding, request numbers, bad pointers and short writes
/// then fail alike on both sides, and one typed layer (``VhostVDPADevice``) serves both. An open device closes
/// when ``close()`` is called or the object goes away. Calls come on one thread, the control thread.
public protocol CharacterDevice: AnyObject {
    /// `ioctl(2)`: `argument` is whatever the request takes, most often an
    /// address. Returns what the kernel returns. EINTR where a signal came first: to be called again.
    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32

    /// `write(2)`: one IOTLB message. Returns the number of bytes the device says it took.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int

    /// `mmap(2)`: a queue's doorbell page. `offset` is in bytes.
    func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer

    /// `close(2)`. Every later call is EBADF.
    func close()
}

/// A device that knows why it refused a message.
///
/// The kernel answers EFAULT to an IOTLB message for nearly every reason and says no more. A device of one's own can,
/// and what it says is the ``VhostVDPAError/context`` of the error.
public protocol RefusalReporting: CharacterDevice {
    /// Why the last message was refused and what to do about it, in words; `nil` where it was not refused.
    var lastRefusal: String? { get }
}

extension CharacterDevice {
    /// Makes an `ioctl(2)` that ended with `error` again, if that is EINTR: a signal came, and nothing was done.
    ///
    /// What is interrupted a thousand times in a row is refused with EINTR.
    package func ioctlAgain(_ request: UInt, _ argument: UInt, after error: Errno) throws(Errno) -> Int32 {
        var error = error
        for _ in 0..<1000 where error == .interrupted {
            do throws(Errno) {
                return try ioctl(request, argument)
            } catch let next {
                error = next
            }
        }
        throw error
    }
}
