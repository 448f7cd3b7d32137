internal import CIOUring
internal import Glibc
internal import VirtQueue
internal import Virtio

/// A page that a control command, or a frame of vdpa_sim_net's, passes through on its way from one chain to another: the
/// device looks at its own copy, which the guest cannot change any more.
@safe
struct PageBuffer: ~Copyable {
    /// The longest command, and the longest frame with its header: PAGE_SIZE of vdpa_sim_net's machine. What is longer is
    /// cut.
    static let byteCount = 4096

    private let start: UnsafeMutableRawPointer
    /// How many bytes the frame or the command in the buffer has.
    private(set) var count = 0

    init() {
        unsafe start = .allocate(byteCount: Self.byteCount, alignment: 64)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
    }

    deinit { unsafe start.deallocate() }

    /// The byte at `offset`, which must be below ``count``.
    subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "a byte behind the end of a frame")
        return unsafe start.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// The Ethernet address at `offset`; all six bytes must be there.
    func address(at offset: Int) -> MACAddress {
        MACAddress((0..<6).reduce(0) { $0 << 8 | UInt64(self[offset + $1]) })
    }

    /// Copies what the driver made readable in `chain`, up to the buffer's size.
    mutating func fill(from chain: DescriptorChain, in segments: borrowing SegmentBuffer) {
        count = 0
        for index in 0..<chain.readableCount {
            let segment = unsafe segments[chain.readableStart + index]
            let step = min(unsafe segment.iov_len, Self.byteCount - count)
            guard step > 0, let base = unsafe segment.iov_base else { break }
            unsafe memcpy(start + count, base, step)
            count += step
        }
    }

    /// Replaces the frame by one byte.
    mutating func fill(with byte: UInt8) {
        unsafe start.storeBytes(of: byte, as: UInt8.self)
        count = 1
    }

    /// Copies the frame to what the device may write in `chain`, as far as there is room. Returns the bytes written.
    func write(to chain: DescriptorChain, in segments: borrowing SegmentBuffer) -> Int {
        var written = 0
        for index in 0..<chain.writableCount {
            let segment = unsafe segments[chain.writableStart + index]
            let step = min(unsafe segment.iov_len, count - written)
            guard step > 0, let base = unsafe segment.iov_base else { break }
            unsafe memcpy(base, start + written, step)
            written += step
        }
        return written
    }
}
