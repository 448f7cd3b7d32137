import GuestMemory
import Logging
import SystemPackage
import VhostVDPA
import VhostVDPABackend

/// A device that says yes to everything at once: what is left of a cycle is our own work.
final class InstantDevice: CharacterDevice {
    // _IOR numbers of linux/vhost.h: direction, size, 0xaf, number.
    private static func read(_ size: UInt, _ number: UInt) -> UInt {
        2 << 30 | size << 16 | 0xaf << 8 | number
    }

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        guard request & (2 << 30) != 0, let answer = UnsafeMutableRawPointer(bitPattern: argument) else {
            return 0
        }
        switch request {
        case Self.read(4, 0x70): answer.storeBytes(of: 1, as: UInt32.self)  // GET_DEVICE_ID
        case Self.read(8, 0x00): answer.storeBytes(of: 0x3_0000_0020, as: UInt64.self)  // GET_FEATURES
        case Self.read(8, 0x26): answer.storeBytes(of: 0x17e, as: UInt64.self)  // GET_BACKEND_FEATURES
        case Self.read(4, 0x79): answer.storeBytes(of: 0, as: UInt32.self)  // GET_CONFIG_SIZE
        case Self.read(16, 0x78): answer.storeBytes(of: .max, toByteOffset: 8, as: UInt64.self)  // IOVA_RANGE
        case Self.read(4, 0x80): answer.storeBytes(of: 2, as: UInt32.self)  // GET_VQS_COUNT
        case Self.read(2, 0x76): answer.storeBytes(of: 256, as: UInt16.self)  // GET_VRING_NUM
        case Self.read(1, 0x71): answer.storeBytes(of: 0xb, as: UInt8.self)  // GET_STATUS
        default: break
        }
        return 0
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int { bytes.count }

    func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer { throw .noMemory }

    func close() {}
}

/// The address space as a place to sign on.
final class Registry: ListenerRegistry {
    let space: AddressSpace
    init(_ space: AddressSpace) { self.space = space }
    func register(_ listener: any MemoryListener) throws { try space.register(listener) }
    func unregister(_ listener: any MemoryListener) throws { try space.unregister(listener) }
}

/// What the backend itself costs in a stop and start, apart from the device: time, and instructions under
/// `valgrind --tool=callgrind`.
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
            device: InstantDevice(), addressSpace: Registry(memory.addressSpace),
            configuration: configuration, logger: logger)
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let queues = (0..<2).map { index in
            VringSetup(
                index: VringIndex(rawValue: UInt32(index)), size: 256, base: .zero,
                descriptorTable: .init(rawValue: 0x100_0000), availRing: .init(rawValue: 0x101_0000),
                usedRing: .init(rawValue: 0x102_0000), kick: null, call: null)
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
