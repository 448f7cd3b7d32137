internal import EmulatedMachine
internal import GuestMemory
internal import Logging
internal import SystemPackage
internal import VhostVDPA
internal import Virtio
internal import VirtioNet

extension DeviceInformation {
    /// Asks the device everything. Opens and thereby resets it.
    static func gather(_ device: DeviceSpecification, logger: Logger) throws(MachineError) -> Self {
        try DeviceInspection.withDevice(of: device.source, logger: logger) {
            (opened) throws(VhostVDPAError) in
            try Self(device: device.description, opened)
        }
    }

    private init(device: String, _ opened: VhostVDPADevice) throws(VhostVDPAError) {
        self.device = device
        // A device without an owner answers nothing about its queues.
        try opened.setOwner()
        deviceID = Int(try opened.deviceID().rawValue)
        let features = try opened.features()
        self.features = Features(bits: features.low, description: features.description)
        let backendFeatures = try opened.backendFeatures()
        self.backendFeatures = Features(
            bits: backendFeatures.rawValue, description: backendFeatures.description)
        maximumQueueSize = Int(try opened.maximumVringSize())
        let count = try opened.vringCount()
        var queues: [Queue] = []
        for index in 0..<count {
            let group = try Self.optional { () throws(VhostVDPAError) in
                try opened.group(of: VringIndex(rawValue: index))
            }
            queues.append(Queue(index: Int(index), group: group.map { Int($0.rawValue) }))
        }
        self.queues = queues
        groups = try Self.optional(opened.vringGroupCount).map { Int($0) }
        addressSpaces = try Self.optional(opened.addressSpaceCount).map { Int($0) }
        let range = try opened.iovaRange()
        iovaRange = AddressRange(first: "\(range.first)", last: "\(range.last)")
        configuration = try Configuration(opened, features: features)
    }

    /// What `call` answers, or `nil` where the kernel or the parent does not know the request.
    private static func optional<Value>(
        _ call: () throws(VhostVDPAError) -> Value
    ) throws(VhostVDPAError) -> Value? {
        do throws(VhostVDPAError) {
            return try call()
        } catch {
            let unknown: [Errno] = [
                .notSupportedOnSocket, .inappropriateIOCTLForDevice, Errno(rawValue: 515),
            ]
            guard unknown.contains(error.errno) else { throw error }
            return nil
        }
    }
}

extension DeviceInformation.Features {
    /// `description` is the number and, in parentheses, the names of its bits between bars.
    init(bits: UInt64, description: String) {
        self.bits = "0x" + String(bits, radix: 16)
        names =
            description.split(separator: "(").dropFirst().first?
            .dropLast().split(separator: "|").map(String.init) ?? []
    }
}

extension DeviceInformation.Configuration {
    fileprivate init(_ opened: VhostVDPADevice, features: VirtioFeatures) throws(VhostVDPAError) {
        let size = try opened.configurationSize()
        byteCount = Int(size)
        let bytes = size == 0 ? [] : try opened.configuration(offset: 0, count: size)
        guard let configuration = NetworkConfiguration(bytes: bytes) else { return }
        if features.contains(.mac) { mac = "\(configuration.mac)" }
        if features.contains(.mtu) { mtu = Int(configuration.mtu) }
        if features.contains(.status) { linkUp = configuration.status.contains(.linkUp) }
    }
}
