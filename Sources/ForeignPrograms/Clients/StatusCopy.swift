internal import CLinux
internal import LinuxHost
internal import SimulatedVDPA
internal import SystemPackage

/// `/proc/self/status` as a process would find it if its devices were the kernel's.
enum StatusCopy {
    /// A file with the status of `process`, its VmPin more by `pinnedPages`; `nil` where it cannot be made.
    static func make(of process: CallerProcess, pinnedPages: Int) -> FileDescriptor? {
        let lines = ProcText.contents("\(process.folder)/status").split(separator: "\n").map { line in
            guard line.hasPrefix("VmPin:") else { return String(line) }
            let words = line.split { $0.isWhitespace }
            let own = words.count > 1 ? Int(words[1]) ?? 0 : 0
            return "VmPin:\t\(own + pinnedPages * HostPage.byteCount / 1024) kB"
        }
        let number = unsafe clinux_memfd_create("status", clinux_mfd_cloexec)
        guard number >= 0, !lines.isEmpty else { return nil }
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
