import GuestMemory
import Logging
import SystemPackage
import VhostVDPA
import VhostVDPABackend

/// A device that says yes to everything at once: what is left of a cycle is our own work.
final class InstantDevice: CharacterDevice {
    var status: UInt8 = 0
    let ioctls: [UInt: (UnsafeMutableRawPointer) -> Void]

    init() {
        // _IOR and _IOW numbers of linux/vhost.h: direction, size, 0xaf, number.
        func read(_ size: UInt, _ number: UInt) -> UInt { 2 << 30 | size << 16 | 0xaf << 8 | number }
        ioctls = [
            read(4, 0x70): { $0.storeBytes(of: 1, as: UInt32.self) },  // GET_DEVICE_ID
            read(8, 0x00): { $0.storeBytes(of: 0x3_0000_0020, as: UInt64.self) },  // GET_FEATURES
            read(8, 0x26): { $0.storeBytes(of: 0x17e, as: UInt64.self) },  // GET_BACKEND_FEATURES
            read(4, 0x79): { $0.storeBytes(of: 0, as: UInt32.self) },  // GET_CONFIG_SIZE
            read(16, 0x78): { $0.storeBytes(of: .max, toByteOffset: 8, as: UInt64.self) },  // GET_IOVA_RANGE
            read(4, 0x80): { $0.storeBytes(of: 2, as: UInt32.self) },  // GET_VQS_COUNT
            read(2, 0x76): { $0.storeBytes(of: 256, as: UInt16.self) },  // GET_VRING_NUM
            read(1, 0x71): { $0.storeBytes(of: 0xb, as: UInt8.self) },  // GET_STATUS
        ]
    }

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        if request & (2 << 30) != 0, let pointer = UnsafeMutableRawPointer(bitPattern: argument) {
            ioctls[request]?(pointer)
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
        let cycles = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000
        var logger = Logger(label: "overhead")
        logger.logLevel = .warning
        let memory = try PCMemoryLayout(memory: .mebibytes(64))
        let backend = try VhostVDPABackend(
            device: InstantDevice(), addressSpace: Registry(memory.addressSpace), logger: logger)
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
            try backend.stop()
            try backend.start(features: [.version1], queues: queues)
        }
        let time = begin.duration(to: .now) / cycles
        print("\(cycles) cycles, \(time) each on a device that answers at once")
        backend.close()
    }
}
