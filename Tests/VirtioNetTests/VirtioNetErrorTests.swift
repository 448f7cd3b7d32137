import SystemPackage
import Testing
import WorkerRuntime

@testable import VirtioNet

/// What is said where a NIC lacks something to start.
struct VirtioNetErrorTests {
    @Test(
        "A shortage is named with the errno and what to do",
        arguments: [
            (
                VirtioNetError.Code.worker(.thread(name: "guest", .resourceTemporarilyUnavailable)),
                Errno.resourceTemporarilyUnavailable,
                "pids.max"
            ),
            (.worker(.thread(name: "guest", .noMemory)), .noMemory, "there is not enough memory"),
            (.noEventDescriptor, .tooManyOpenFiles, "raise 'ulimit -n'"),
            (.noEventDescriptor, .tooManyOpenFilesInSystem, "raise fs.file-max"),
        ])
    func shortage(
        code: VirtioNetError.Code, errno: Errno, remedy: String
    ) {
        let text = "\(VirtioNetError(code, errno: errno))"
        #expect(text.contains("\(errno): "))
        #expect(text.contains(remedy))
    }

    @Test("An errno that tells of no shortage stands alone") func noShortage() {
        #expect(
            "\(VirtioNetError(.noEventDescriptor, errno: .permissionDenied))".hasSuffix(
                ": \(Errno.permissionDenied)"))
    }
}
