import Foundation
import SystemPackage
import Testing

@testable import LinuxHost

@Suite struct KernelTextTests {
    @Test(
        "A field is what stands behind its name and a colon, whatever blanks are between",
        arguments: [
            ("VmPin:\t    1234 kB\n", "1234 kB"), ("Name:\temu\nVmPin: 7\nVmPin: 8", "7"),
            ("VmPinned: 9\nVmPin\t: 3", "3"), ("VmPin:", ""),
        ])
    func field(text: String, value: String) {
        #expect(KernelText.field("VmPin", in: text) == value)
    }

    @Test(
        "A field that no line begins with is nil",
        arguments: ["", "VmPin 5", " VmPin: 5", "VmPinned: 5", "x VmPin: 5"])
    func noField(text: String) {
        #expect(KernelText.field("VmPin", in: text) == nil)
    }

    @Test("A field's number ends where its digits do; one without digits has none")
    func number() {
        #expect(KernelText.number("MemTotal", in: "MemTotal:       64000 kB") == 64000)
        #expect(KernelText.number("MemTotal", in: "MemTotal: much") == nil)
    }

    @Test(
        "A file is read to its end, the line breaks there left out", arguments: [0, 1, 8192, 8193, 100_000])
    func whole(length: Int) throws {
        let path = NSTemporaryDirectory() + "kernel-text-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = String(repeating: "x", count: length)
        try (text + "\n\n").write(toFile: path, atomically: false, encoding: .utf8)
        #expect(KernelText.of(FilePath(path)) == text)
        #expect(KernelText.firstWord(FilePath(path)) == (length > 0 ? text : nil))
    }

    @Test("Files of the kernel's, which say no size, are read whole; one that is not there is nil")
    func kernelFiles() throws {
        let status = try #require(KernelText.of("/proc/self/status"))
        #expect(status.hasPrefix("Name:") && status.last != "\n")
        #expect(KernelText.number("Pid", in: status) == UInt64(ProcessInfo.processInfo.processIdentifier))
        #expect(KernelText.of("/proc/self/no-such-file") == nil)
        #expect(KernelText.of("/proc/self") == nil)
    }
}
