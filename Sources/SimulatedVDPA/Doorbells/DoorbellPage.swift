internal import CLinux
internal import Glibc
internal import LinuxHost
internal import Synchronization
internal import SystemPackage

/// The page of a queue's doorbell, which a driver maps and writes to.
///
/// Hardware sees every write. Here it is memory that the caller and the simulation share: the first word holds what no
/// driver writes, so that a look finds whether somebody has written since the last one. Two writes between two looks are
/// one: a doorbell says that there is something to look at, not how much.
///
/// **Thread.** Any.
@safe
final class DoorbellPage: @unchecked Sendable {
    /// In its lower half no queue's number, which is what a driver writes: in 16 bits, or with what VIRTIO_F_NOTIFICATION_DATA
    /// adds in 32.
    private static let untouched: UInt32 = .max

    private let descriptor: FileDescriptor
    private let start: UnsafeMutableRawPointer

    /// Makes a page that nobody has written to: with the errno of memfd_create(2), ftruncate(2) or mmap(2).
    init() throws(Errno) {
        let number = unsafe clinux_memfd_create("doorbell", clinux_mfd_cloexec)
        guard number >= 0 else { throw Errno(rawValue: -number) }
        let file = FileDescriptor(rawValue: number)
        do throws(Errno) {
            let sized = clinux_set_file_size(number, UInt64(HostPage.byteCount))
            guard sized == 0 else { throw Errno(rawValue: -sized) }
            unsafe start = try Self.map(file, PROT_READ | PROT_WRITE, MAP_SHARED)
        } catch {
            try? file.close()
            throw error
        }
        descriptor = file
        unsafe word.pointee.store(Self.untouched, ordering: .relaxed)
    }

    deinit {
        unsafe munmap(start, HostPage.byteCount)
        try? descriptor.close()
    }

    /// The page once more, for a driver, who unmaps it. It stays memory after this object is gone.
    @unsafe
    func map(protection: Int32, flags: Int32) throws(Errno) -> UnsafeMutableRawPointer {
        try unsafe Self.map(descriptor, protection, flags)
    }

    /// Whether a driver has written since the last time. What it wrote to memory before is then seen.
    func takeWrite() -> Bool {
        unsafe word.pointee.load(ordering: .relaxed) != Self.untouched
            && word.pointee.exchange(Self.untouched, ordering: .acquiringAndReleasing) != Self.untouched
    }

    private var word: UnsafeMutablePointer<Atomic<UInt32>> {
        unsafe start.assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    private static func map(
        _ file: FileDescriptor, _ protection: Int32, _ flags: Int32
    ) throws(Errno) -> UnsafeMutableRawPointer {
        guard let start = unsafe mmap(nil, HostPage.byteCount, protection, flags, file.rawValue, 0),
            unsafe start != MAP_FAILED
        else { throw Errno(rawValue: errno) }
        return unsafe start
    }
}
