internal import CLinux

/// The processors that the calling thread may run on: fewer than the machine has under `taskset` or in a cpuset.
package enum AllowedProcessors {
    /// The most processors that a kernel is built for (CONFIG_NR_CPUS of x86 ends at 8192).
    private static let most = 8192

    /// Their numbers; `nil` where the kernel does not say. One system call.
    package static var numbers: Set<Int>? {
        var words = [UInt64](repeating: 0, count: most / 64)
        let count = unsafe words.withUnsafeMutableBufferPointer {
            unsafe clinux_allowed_processors($0.baseAddress, $0.count)
        }
        guard count > 0 else { return nil }
        return Set((0..<count * 64).filter { words[$0 / 64] >> ($0 % 64) & 1 == 1 })
    }
}
