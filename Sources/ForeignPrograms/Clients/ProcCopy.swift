internal import CLinux
internal import LinuxHost
internal import SimulatedVDPA
internal import SystemPackage

/// Files of `/proc` as a program would find them if its devices were the kernel's: each a copy, in a file of its own; `nil`
/// where that cannot be made.
enum ProcCopy {
    /// The status of `process`, its VmPin more by `pinnedPages`.
    static func status(of process: CallerProcess, pinnedPages: Int) -> FileDescriptor? {
        let lines = ProcText.contents("\(process.folder)/status").split(separator: "\n").map { line in
            guard line.hasPrefix("VmPin:") else { return String(line) }
            let words = line.split { $0.isWhitespace }
            let own = words.count > 1 ? Int(words[1]) ?? 0 : 0
            return "VmPin:\t\(own + pinnedPages * HostPage.byteCount / 1024) kB"
        }
        return file(lines)
    }

    /// The drivers of this machine's character and block devices, with one of vhost-vdpa that has `major`.
    static func devices(major: UInt32) -> FileDescriptor? {
        var lines = ProcText.contents("/proc/devices").split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .map(String.init)
        // The character devices come first, and end with an empty line.
        guard let end = lines.firstIndex(of: "") else { return nil }
        lines.insert("\(major) vhost-vdpa", at: end)
        return file(lines)
    }

    private static func file(_ lines: [String]) -> FileDescriptor? {
        guard !lines.isEmpty else { return nil }
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
