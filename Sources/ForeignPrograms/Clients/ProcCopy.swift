internal import CLinux
internal import LinuxHost
internal import SimulatedVDPA
internal import SystemPackage

/// Files of `/proc` as a program would find them if its devices were the kernel's: each a copy, in a file of its own; `nil`
/// where that cannot be made.
enum ProcCopy {
    /// The status of `process`, its VmPin more by `pinnedPages`.
    static func status(of process: CallerProcess, pinnedPages: Int) -> FileDescriptor? {
        guard let text = KernelText.of(FilePath("\(process.folder)/status")) else { return nil }
        let own = KernelText.number("VmPin", in: text) ?? 0
        let kibibytes = own + UInt64(pinnedPages * HostPage.byteCount / 1024)
        return file(
            text.split(separator: "\n").map {
                $0.hasPrefix("VmPin:") ? "VmPin:\t\(kibibytes) kB" : String($0)
            })
    }

    /// The drivers of this machine's character and block devices, with one of vhost-vdpa that has `major`.
    static func devices(major: UInt32) -> FileDescriptor? {
        guard let text = KernelText.of("/proc/devices") else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // The character devices come first, and end with an empty line.
        guard let end = lines.firstIndex(of: "") else { return nil }
        lines.insert("\(major) vhost-vdpa", at: end)
        return file(lines)
    }

    private static func file(_ lines: [String]) -> FileDescriptor? {
        let number = unsafe clinux_memfd_create("proc", clinux_mfd_cloexec)
        guard number >= 0 else { return nil }
        let file = FileDescriptor(rawValue: number)
        do {
            try file.writeAll(Array((lines.joined(separator: "\n") + "\n").utf8))
            _ = try file.seek(offset: 0, from: .start)
            return file
        } catch {
            try? file.close()
            return nil
        }
    }
}
