internal import SystemPackage

/// What the kernel says of this process in /proc/self/status (proc_pid_status(5)).
package enum ProcessStatus {
    /// The bytes that are pinned for this process (VmPin); `nil` where the kernel does not say. A file is opened and read.
    package static var pinnedBytes: UInt64? { KernelText.of("/proc/self/status").flatMap(pinnedBytes(in:)) }

    /// The same out of the text of a status. The kernel's unit is always kB.
    package static func pinnedBytes(in status: String) -> UInt64? {
        KernelText.number("VmPin", in: status).map { $0 << 10 }
    }
}
