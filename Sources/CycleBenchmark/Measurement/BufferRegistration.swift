internal import Glibc
internal import GuestMemory
internal import IOUring

/// What it takes io_uring to pin a machine's memory: the kernel's other way of doing what a first map does.
enum BufferRegistration {
    /// The times of a few registrations, each from unpinned memory.
    case took(Samples)
    /// The kernel did not do it, and why.
    case refused(String)

    private static let rounds = 3
    /// The most that one buffer may have (io_uring_register_buffers(3)).
    private static let largestBuffer: UInt64 = 1 << 30

    /// Registers all memory of `memory` and takes it back, a few times. No device may have it pinned: it would count
    /// twice against the memlock limit.
    static func measure(_ memory: PCMemoryLayout) -> BufferRegistration {
        let list = unsafe memory.addressSpace.view.sections.flatMap { unsafe buffers(of: $0) }
        var samples = Samples()
        do throws(IOUringError) {
            var ring = try IOUring(submissionEntries: 1, completionEntries: 2)
            for _ in 0..<rounds {
                let start = PhaseTimer.now()
                try unsafe register(list, in: &ring)
                samples.append(PhaseTimer.now() - start)
                try ring.unregisterBuffers()
            }
        } catch {
            return .refused("\(error)")
        }
        return .took(samples)
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
