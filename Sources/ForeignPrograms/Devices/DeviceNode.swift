internal import CLinux
internal import Glibc
internal import LinuxHost
internal import SystemPackage

/// The file of an exposed device, as stat(2) shows it: a character device whose number no other has.
struct DeviceNode: Hashable, Sendable {
    let major: UInt32
    let minor: UInt32

    /// A major number that no driver of this machine has: the highest of those that are given out at run time.
    static func freeMajor() -> UInt32 {
        let taken = Set(
            (KernelText.of("/proc/devices") ?? "").split(separator: "\n").compactMap { line in
                line.split(separator: " ").first.flatMap { UInt32($0) }
            })
        return (384...511).reversed().first { !taken.contains($0) } ?? 511
    }

    /// The bytes of `struct stat`, or with a `mask` of `struct statx`.
    func status(mask: Int32?) throws(Errno) -> [UInt8] {
        let byteCount = mask == nil ? MemoryLayout<stat>.size : 256
        var result: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = byteCount
            guard let start = buffer.baseAddress else { return }
            unsafe buffer.initialize(repeating: 0)
            if let mask {
                result = unsafe clinux_device_statx(major, minor, UInt32(bitPattern: mask), start)
            } else {
                var answer = stat()
                result = unsafe clinux_device_stat(major, minor, &answer)
                unsafe withUnsafeBytes(of: answer) {
                    unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: $0)
                }
            }
        }
        guard result == 0 else { throw Errno(rawValue: -result) }
        return bytes
    }
}
