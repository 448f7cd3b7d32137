import CInstantDevice
import GuestMemory
import Logging
import SystemPackage
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio

/// What the backend itself costs in a stop and start, apart from the device: time, and instructions under
/// `valgrind --tool=callgrind`. The file is the kernel's, as is the way to it; ``CInstantDevice`` stands where the C
/// library's `ioctl` would.
@main
struct BackendOverhead {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let cycles = arguments.first.flatMap { Int($0) } ?? 10_000
        let resumes = arguments.dropFirst().first == "resume"
        var logger = Logger(label: "overhead")
        logger.logLevel = .warning
        let memory = try PCMemoryLayout(memory: .mebibytes(64))
        var configuration = BackendConfiguration()
        configuration.wantedBackendFeatures.insert(.resume)
        let backend = try VhostVDPABackend(
            device: KernelFile(path: FilePath(String(cString: instant_device_path()))),
            addressSpace: memory.addressSpace,
            configuration: configuration, logger: logger)
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let queues = (0..<2).map { index in
            VringSetup(
                index: VringIndex(rawValue: UInt32(index)),
                layout: RingLayout(
                    size: 256,
                    addresses: RingAddresses(
                        descriptorArea: .init(rawValue: 0x100_0000), driverArea: .init(rawValue: 0x101_0000),
                        deviceArea: .init(rawValue: 0x102_0000))),
                kick: null, call: null)
        }
        try backend.start(features: [.version1], queues: queues)
        let begin = ContinuousClock.now
        for _ in 0..<cycles {
            if resumes {
                try backend.suspendInPlace()
                try backend.resumeInPlace()
            } else {
                try backend.stop()
                try backend.start(features: [.version1], queues: queues)
            }
        }
        let time = begin.duration(to: .now) / cycles
        print("\(cycles) cycles, \(time) each on a device that answers at once")
        backend.close()
    }
}
