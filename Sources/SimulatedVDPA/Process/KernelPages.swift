internal import Glibc
package import GuestMemory
internal import LinuxHost
package import SystemPackage

/// Pages that a driver inside the simulated kernel keeps its rings and buffers in; given back with the object.
///
/// This process is the whole simulated machine, so a page's host-physical address is its address here. No guest's
/// memory stands at such a number: guest-physical addresses begin at zero and end terabytes below.
@safe
package final class KernelPages {
    package let range: AddressRange<HostAddress>
    private let start: UnsafeMutableRawPointer

    /// Takes `count` zeroed pages: ENOMEM where there are none.
    package init(count: Int) throws(Errno) {
        let byteCount = count * HostPage.byteCount
        let flags = MAP_ANONYMOUS | MAP_PRIVATE
        guard let start = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0),
            unsafe start != MAP_FAILED
        else { throw .noMemory }
        let first = HostAddress(rawValue: UInt64(UInt(bitPattern: start)))
        guard let range = AddressRange(first: first, byteCount: ByteCount(byteCount)) else {
            throw .noMemory
        }
        unsafe self.start = start
        self.range = range
    }

    deinit { unsafe munmap(start, byteCount) }

    package var byteCount: Int { Int(range.last.rawValue - range.first.rawValue + 1) }

    /// The memory at `offset`, valid while the object lives.
    @unsafe
    package func pointer(_ offset: Int) -> UnsafeMutableRawPointer {
        precondition(offset >= 0 && offset < byteCount, "an offset outside the pages")
        return unsafe start + offset
    }

    /// Copies `bytes` to `offset`; they must fit.
    package func store(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && bytes.count <= byteCount - offset, "bytes outside the pages")
        unsafe (start + offset).copyMemory(from: bytes, byteCount: bytes.count)
    }

    /// The `count` bytes at `offset`, which must be there.
    package func bytes(at offset: Int, count: Int) -> [UInt8] {
        precondition(offset >= 0 && count >= 0 && count <= byteCount - offset, "bytes outside the pages")
        return unsafe Array(UnsafeRawBufferPointer(start: start + offset, count: count))
    }
}
