import EmulatedMachine
import GuestMemory
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

extension RealDevice {
    @Suite("Opening and closing a real device")
    struct Opening {
        @Test("a device that is open already says who may hold it")
        func busy() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let path = try #require(KernelDevice.path)
                let machine = try makeRealMachine()
                let error = #expect(throws: VhostVDPAError.self) { _ = try KernelFile(path: path) }
                #expect(error?.errno == .resourceBusy)
                #expect(error?.description.contains("another process holds the device") == true)
                #expect(error?.description.contains("fuser -v \(path)") == true)
                machine.close()
                try KernelFile(path: path).close()
            }
        }

        @Test(
            "closing gives back every pinned page and every descriptor, stopped or running",
            arguments: [true, false])
        func close(isRunning: Bool) throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let kernel = try KernelDevice.underTest()
                let limits = MapLimits.current()
                // Once before, for whatever a process keeps from its first time on.
                try makeRealMachine().close()
                let pinned = limits.pinned()
                let files = try ProcessFiles.settledDescriptors()
                for _ in 0..<3 {
                    let machine = try makeRealMachine()
                    let added = (limits.pinned() ?? .zero).rawValue - (pinned ?? .zero).rawValue
                    #expect(
                        added
                            == (kernel.usesVirtualAddresses
                                ? 0 : machine.backend.mappedByteCount.rawValue))
                    try machine.start()
                    machine.driver.startTraffic()
                    try #require(machine.receives(100))
                    if !isRunning { try machine.stop() }
                    machine.close()
                    #expect(limits.pinned() == pinned)
                }
                #expect(try ProcessFiles.settledDescriptors() == files)
            }
        }

        @Test(
            "a descriptor that was opened elsewhere serves as well as a path, and is closed with the machine")
        func inherited() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let descriptor = try FileDescriptor.open(try #require(KernelDevice.path), .readWrite)
                let machine = try makeRealMachine(source: .descriptor(descriptor))
                try machine.start()
                machine.driver.startTraffic()
                try #require(machine.receives(100))
                _ = try machine.cycle()
                try #require(machine.receives(100))
                #expect(machine.settle().isFlawless)
                machine.close()
                #expect(
                    try ProcessFiles.openDescriptors()[descriptor.rawValue]?.contains("vhost-vdpa") != true)
            }
        }
    }
}
