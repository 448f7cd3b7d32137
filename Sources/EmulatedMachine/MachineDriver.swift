internal import GuestMemory
internal import Logging
internal import VhostVDPABackend
internal import Virtio
internal import VirtioNet

/// Makes a machine's guest driver: what it agrees on with the device, its port, and its place in guest RAM.
struct MachineDriver {
    private let configuration: MachineConfiguration
    private let negotiated: NegotiatedDevice
    private let logger: Logger

    /// Where the driver's rings and buffers stand: in RAM above the first megabyte, as a kernel's would.
    private static let address = GuestPhysicalAddress(rawValue: 16 << 20)
    /// The queue size that a reprobed driver can always change to, where its device has it: 6 MiB of memory.
    private static let roomyQueueSize: UInt16 = 1024

    init(_ configuration: MachineConfiguration, _ negotiated: NegotiatedDevice, logger: Logger) {
        self.configuration = configuration
        self.negotiated = negotiated
        self.logger = logger
    }

    /// What the guest's driver sets up with a device that offers `negotiated`.
    func agree(expectsReturn: Bool) throws(MachineError) -> DriverConfiguration {
        guard negotiated.deviceFeatures.contains(.version1), negotiated.vringCount >= 2 else {
            throw .unsupported(
                "the device is no modern network device: it offers \(negotiated.deviceFeatures) and"
                    + " \(negotiated.vringCount) queues, and VERSION_1 and two queues are needed")
        }
        guard Int(negotiated.vringCount) >= configuration.queues.count else {
            throw .unsupported(
                "\(configuration.queuePairs) queue pairs need \(configuration.queues.count) queues, and the device"
                    + " has \(negotiated.vringCount): use fewer, or a simulated device with queues=\(configuration.queuePairs)"
            )
        }
        let size = min(configuration.queueSize, negotiated.maximumVringSize)
        let features = negotiated.deviceFeatures.intersection([.indirectDescriptors, .eventIndex])
        return DriverConfiguration(
            queueSize: size, features: features,
            deviceAddress: negotiated.configuration.count >= 6
                ? MACAddress(octets: negotiated.configuration[0..<6]) : .broadcast,
            frameByteCount: configuration.frameByteCount, expectsReturn: expectsReturn)
    }

    /// The guest's driver, with buffers for the longest frames of the interfaces at both ends, where there is RAM for them.
    func make(
        _ driverConfiguration: DriverConfiguration, in memory: PCMemoryLayout, wireMTU: Int?
    ) throws(MachineError) -> NetworkDriver {
        let port = try openPort()
        let largestQueue = min(negotiated.maximumVringSize, Self.roomyQueueSize)
        let queueSize = max(driverConfiguration.queueSize, largestQueue)
        func place(stride: Int) throws(MachineError) -> DriverMemory {
            try driverMemory(
                DriverMemory.byteCount(
                    queueSize: queueSize, queuePairs: configuration.queuePairs, bufferStride: stride),
                stride: stride, in: memory)
        }
        let stride = DriverBuffers.stride(forMTU: max(port.mtu ?? 0, wireMTU ?? 0))
        var block: DriverMemory
        do throws(MachineError) {
            block = try place(stride: stride)
        } catch {
            guard stride > DriverBuffers.defaultStride else { throw error }
            block = try place(stride: DriverBuffers.defaultStride)
            logger.warning(
                "frames longer than \(DriverBuffers.defaultStride) bytes are dropped and counted as too long: \(error)"
            )
        }
        do throws(VirtioNetError) {
            return try NetworkDriver(
                queuePairs: configuration.queuePairs, port: port, memory: block,
                configuration: driverConfiguration)
        } catch {
            throw .network(error)
        }
    }

    private func openPort() throws(MachineError) -> GuestPort {
        do throws(PortError) {
            return try GuestPort(opening: configuration.guest, queuePairs: configuration.queuePairs) {
                logger.warning("\($0)")
            }
        } catch {
            throw .port(error)
        }
    }

    private func driverMemory(
        _ byteCount: ByteCount, stride: Int, in memory: PCMemoryLayout
    ) throws(MachineError) -> DriverMemory {
        guard
            let range = AddressRange(first: Self.address, byteCount: byteCount),
            let host = memory.hostRange(of: range, access: .readWrite),
            let pointer = unsafe UnsafeMutableRawPointer(bitPattern: UInt(host.first.rawValue))
        else {
            throw .unsupported(
                "the guest's driver needs \(byteCount) of RAM from \(Self.address) on, and \(configuration.memory)"
                    + " is too little: give the machine \(memoryNeeded(byteCount)) or more")
        }
        return unsafe DriverMemory(
            guest: Self.address, host: pointer, byteCount: byteCount, bufferStride: stride)
    }

    /// Whole megabytes with room for a driver of `byteCount`.
    private func memoryNeeded(_ byteCount: ByteCount) -> ByteCount {
        .mebibytes(Int(max(64, (Self.address.rawValue + byteCount.rawValue + (1 << 20) - 1) >> 20)))
    }
}
