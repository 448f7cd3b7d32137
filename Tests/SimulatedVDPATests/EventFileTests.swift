import Glibc
import SystemPackage
import Testing

@testable import SimulatedVDPA

/// Each that notes a failure in a process of its own: the note is the process's.
@Suite("A signal of the simulated kernel")
struct EventFileTests {
    @Test("that is refused is the simulation's failure, by call and errno")
    func refused() async {
        await #expect(processExitsWith: .success) {
            let file = try EventFile()
            file.signal()
            #expect(SimulationFailure.description == nil)
            // The number is given to a file that takes no write.
            let readOnly = unsafe try FileDescriptor.open("/dev/null", .readOnly)
            _ = try readOnly.duplicate(as: file.descriptor)
            file.signal()
            let description = try #require(SimulationFailure.description)
            #expect(description.contains("write to an eventfd"), "\(description)")
            #expect(description.contains("Bad file descriptor"), "\(description)")
        }
    }

    @Test("that finds the counter full leaves it as it is, and is none")
    func full() async {
        await #expect(processExitsWith: .success) {
            let file = try EventFile()
            var most = UInt64.max - 1
            _ = unsafe write(file.descriptor.rawValue, &most, 8)
            file.signal()
            #expect(SimulationFailure.description == nil)
        }
    }
}
