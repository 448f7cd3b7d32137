internal import CycleBenchmark
internal import DeviceScripts
internal import LinuxHost
internal import SystemPackage

/// What `--record FILE` writes while a command runs: its calls on the device, as a device script (docs/device-scripts.md).
final class Recording {
    /// Stands before the device's files.
    let recorder: ScriptRecorder
    private let path: String
    private let file: RecordingFile

    /// Opens the file, in which nothing changes before the first call. Its first lines say what was recorded, when and with
    /// what.
    init(path: String, of device: DeviceSpecification) throws(StartError) {
        let file = try RecordingFile(path: path)
        (self.path, self.file) = (path, file)
        var header: [String]? = Self.header(device)
        recorder = ScriptRecorder { line in
            for comment in header ?? [] { file.write("\(DeviceScript.Line(nil, comment: comment))") }
            header = nil
            file.write("\(line)")
        }
    }

    /// Closes the file. The status of a command that would end with `status`: a recording with lines missing is no success.
    func end(_ status: ExitStatus) -> ExitStatus {
        guard let error = file.close() else { return status }
        Console.shared.print("emu: --record \(path): lines are missing: \(error); \(Self.advice(error))")
        return status == .done ? .foundSomethingWrong : status
    }

    private static func header(_ device: DeviceSpecification) -> [String] {
        let kernel = KernelText.firstWord("/proc/sys/kernel/osrelease") ?? "of an unknown release"
        return [
            Version.text, ShellText.line(["emu"] + ProcessStart.arguments),
            "device \(device)\(device.isSimulated ? ", simulated" : ""), on Linux \(kernel); \(UTCDate.now)",
        ]
    }

    private static func advice(_ error: Errno) -> String {
        switch error {
        case .noSpace: "free some space or name another file"
        case .fileTooLarge: "raise the limit of a file's size (ulimit -f)"
        case .brokenPipe: "the reader must read to the end"
        default: "name another file"
        }
    }
}
