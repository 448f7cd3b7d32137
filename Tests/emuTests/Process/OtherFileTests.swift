import Foundation
import Glibc
import TestSupport
import Testing

/// Commands whose `--device` is no vhost-vdpa device.
@Suite(.timeLimit(.minutes(15))) struct OtherFileTests {
    /// A folder with files of some kinds.
    private final class Files {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            #expect(FileManager.default.createFile(atPath: path("file"), contents: nil))
            _ = try folder.makePipe("fifo")
            try FileManager.default.createSymbolicLink(
                atPath: path("link"), withDestinationPath: "/dev/null")
        }

        func path(_ name: String) -> String {
            name.hasPrefix("/") || name.hasPrefix("fd:") ? name : folder.path(name)
        }
    }

    static let files = [
        ("/dev/null", "the character device 'null'"), ("/dev/zero", "the character device 'zero'"),
        ("/dev", "a directory"), ("fifo", "a FIFO"), ("file", "a regular file"),
        ("link", "the character device 'null'"), ("missing", "modprobe vhost_vdpa"),
        ("/dev/vhost-vdpa-no", "vdpa dev add"), ("fd:999", "no such open descriptor"),
        // Standard input, which is /dev/null here.
        ("fd:0", "the character device 'null'"),
    ]
    static let cases =
        files.map { ("info", $0) } + ["run", "check"].flatMap { [($0, files[0]), ($0, files[3])] }

    @Test(
        "A file that is no device ends every command at once: what it is, and how to find a device",
        arguments: cases)
    func noDevice(command: String, file: (name: String, words: String)) throws {
        let files = try Files()
        let arguments =
            [command, "--device", files.path(file.name)] + (command == "run" ? ["--memory", "64M"] : [])
        let outcome = try EmuProcess(arguments).finish()
        #expect(outcome.status == 2)
        #expect(outcome.errors.hasPrefix("emu: "))
        #expect(outcome.errors.contains(file.words), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(!outcome.errors.contains("ioctl"), "\(outcome.errors)")
    }
}
