internal import Glibc
internal import GuestMemory
internal import IOUring

/// What it takes io_uring to pin a machine's memory: the kernel's other way of doing what a first map does.
@safe
struct BufferRegistrar: ~Copyable {
    /// The most that one buffer may have (io_uring_register_buffers(3)).
    private static let largestBuffer: UInt64 = 1 << 30

    private var ring: IOUring
    private let buffers: [iovec]

    init(_ memory: PCMemoryLayout) throws(IOUringError) {
        ring = try IOUring(submissionEntries: 1, completionEntries: 2)
        unsafe buffers = memory.addressSpace.view.sections.flatMap { unsafe Self.buffers(of: $0) }
    }

    /// Registers all memory and takes it back; the nanoseconds that the registration took. No device may have the memory
    /// pinned: it would count twice against the memlock limit.
    mutating func measure() throws(IOUringError) -> UInt64 {
        let start = PhaseTimer.now()
        try unsafe Self.register(buffers, in: &ring)
        let time = PhaseTimer.now() - start
        try ring.unregisterBuffers()
        return time
    }

    private static func register(_ buffers: [iovec], in ring: inout IOUring) throws(IOUringError) {
        try unsafe buffers.withUnsafeBufferPointer { (list) throws(IOUringError) in
            try unsafe ring.registerBuffers(list)
        }
    }

    private static func buffers(of section: MemorySection) -> [iovec] {
        guard case .memory(let host) = section.backing, let size = section.range.byteCount?.rawValue else {
            return unsafe []
        }
        return unsafe stride(from: 0, to: size, by: Int(largestBuffer)).map { offset in
            unsafe iovec(
                iov_base: UnsafeMutableRawPointer(bitPattern: UInt(host.rawValue + offset)),
                iov_len: Int(min(largestBuffer, size - offset)))
        }
    }
}
