/// What a device says of itself, as `emu info --json` prints it.
struct DeviceInformation: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.info

    /// A set of feature bits.
    struct Features: Codable, Equatable, Sendable {
        /// The bits in hexadecimal.
        var bits: String
        var names: [String]
    }

    /// The addresses the device can use, in hexadecimal, both ends included.
    struct AddressRange: Codable, Equatable, Sendable {
        var first: String
        var last: String
    }

    /// A queue as the device has it.
    struct Queue: Codable, Equatable, Sendable {
        var index: Int
        /// Its group; none where the device has no groups.
        var group: Int?
    }

    /// The network device's configuration space, as far as the device has it.
    struct Configuration: Codable, Equatable, Sendable {
        var mac: String?
        var mtu: Int?
        var linkUp: Bool?
        /// Bytes of the space.
        var byteCount: Int
    }

    /// The device as the command line named it.
    var device: String
    /// The virtio device type; 1 is a network device.
    var deviceID: Int
    var features: Features
    var backendFeatures: Features
    var maximumQueueSize: Int
    var queues: [Queue]
    /// Groups of queues, and address spaces; none where the kernel does not say.
    var groups: Int?
    var addressSpaces: Int?
    var iovaRange: AddressRange
    var configuration: Configuration
}
