import SystemPackage
import Testing

@testable import IOUring
@testable import WorkerRuntime

@Suite("The failure of several workers") struct FirstFailureTests {
    @Test("is none until one has failed, and then the first one's")
    func first() {
        let failure = FirstFailure()
        #expect(failure.value == nil)
        for errno in [Errno.ioError, .badFileDescriptor] {
            failure.note(WorkerFailure(worker: "w", EventLoopFailure(.enter(errno))))
        }
        #expect(failure.value?.errno == .ioError)
    }
}
