public import GuestMemory
public import VhostVDPA

/// An `ioctl(2)`: its number and what its argument points at.
public struct ScriptRequest: Hashable, Sendable {
    /// The argument, decoded.
    public enum Argument: Hashable, Sendable {
        /// The request takes none.
        case nothing
        /// An address instead of a value, which may be none.
        case pointer(ScriptPointer)
        /// One number: what a SET gives. A GET's is 0 and is written by the kernel.
        case number(UInt64)
        /// `struct vhost_vring_state`.
        case state(index: VringIndex, number: UInt32)
        /// `struct vhost_vring_file`.
        case file(index: VringIndex, ScriptDescriptor)
        /// `struct vhost_vring_addr`.
        case addresses(ScriptVringAddresses)
        /// One descriptor.
        case descriptor(ScriptDescriptor)
        /// `struct vhost_vdpa_config` to read into.
        case configurationRead(offset: UInt32, byteCount: UInt32)
        /// `struct vhost_vdpa_config` with bytes.
        case configurationWrite(offset: UInt32, bytes: [UInt8])
        /// Bytes of no known shape.
        case bytes([UInt8])
    }

    /// The request's number.
    public var number: UInt
    /// What the argument points at.
    public var argument: Argument

    /// A request by its number.
    public init(number: UInt, _ argument: Argument) {
        self.number = number
        self.argument = argument
    }
}

/// Where a vring's areas are (`struct vhost_vring_addr`).
public struct ScriptVringAddresses: Hashable, Sendable {
    /// The queue.
    public var index: VringIndex
    /// `VHOST_VRING_F_*`.
    public var flags: UInt32
    /// The descriptor area.
    public var descriptors: IOVirtualAddress
    /// The driver area: the avail ring.
    public var avail: IOVirtualAddress
    /// The device area: the used ring.
    public var used: IOVirtualAddress
    /// Where the log of used entries is.
    public var log: IOVirtualAddress

    /// Addresses of a vring.
    public init(
        index: VringIndex, flags: UInt32 = 0, descriptors: IOVirtualAddress, avail: IOVirtualAddress,
        used: IOVirtualAddress, log: IOVirtualAddress = IOVirtualAddress(rawValue: 0)
    ) {
        self.index = index
        self.flags = flags
        self.descriptors = descriptors
        self.avail = avail
        self.used = used
        self.log = log
    }
}

/// A request that scripts know by name, with the shape of its argument and of its answer (linux/vhost.h).
public struct ScriptRequestKind: Hashable, Sendable {
    /// What the argument points at.
    public enum Shape: Hashable, Sendable {
        /// Nothing: the argument is not looked at.
        case nothing
        /// A number of so many bytes, given to the kernel.
        case set(byteCount: Int)
        /// A number of so many bytes, answered by the kernel; shown in hexadecimal where its bits have names.
        case get(byteCount: Int, isHexadecimal: Bool)
        /// `struct vhost_vring_state`, given.
        case setState
        /// `struct vhost_vring_state`, its `num` answered.
        case getState
        /// `struct vhost_vring_file`.
        case file
        /// `struct vhost_vring_addr`.
        case addresses
        /// An `int`.
        case descriptor
        /// `struct vhost_vdpa_config`, read.
        case getConfiguration
        /// `struct vhost_vdpa_config`, written.
        case setConfiguration
        /// `struct vhost_vdpa_iova_range`, answered.
        case getRange
        /// `struct vhost_memory`: bytes.
        case bytes
    }

    /// The kernel's name without `VHOST_` and `VDPA_`.
    public let name: String
    /// The request's number.
    public let number: UInt
    /// What the argument points at.
    public let shape: Shape
    /// The words for the two fields of a `struct vhost_vring_state`.
    public let fields: (index: String, number: String)

    /// Those of a request that has no words of its own.
    static let standardFields = (index: "index", number: "num")

    /// Two requests are one where their numbers are.
    public static func == (left: Self, right: Self) -> Bool { left.number == right.number }
    /// By number.
    public func hash(into hasher: inout Hasher) { hasher.combine(number) }

    private init(
        _ name: String, _ number: UInt, _ shape: Shape,
        fields: (index: String, number: String) = standardFields
    ) {
        self.name = name
        self.number = number
        self.shape = shape
        self.fields = fields
    }

    /// Every request that has a name, by number.
    public static let all: [ScriptRequestKind] = [
        Self("GET_FEATURES", 0x8008_af00, .get(byteCount: 8, isHexadecimal: true)),
        Self("SET_FEATURES", 0x4008_af00, .set(byteCount: 8)),
        Self("SET_OWNER", 0xaf01, .nothing),
        Self("RESET_OWNER", 0xaf02, .nothing),
        Self("SET_MEM_TABLE", 0x4008_af03, .bytes),
        Self("SET_LOG_BASE", 0x4008_af04, .set(byteCount: 8)),
        Self("SET_LOG_FD", 0x4004_af07, .descriptor),
        Self("SET_VRING_NUM", 0x4008_af10, .setState),
        Self("SET_VRING_ADDR", 0x4028_af11, .addresses),
        Self("SET_VRING_BASE", 0x4008_af12, .setState),
        Self("GET_VRING_BASE", 0xc008_af12, .getState),
        Self("SET_VRING_KICK", 0x4008_af20, .file),
        Self("SET_VRING_CALL", 0x4008_af21, .file),
        Self("SET_VRING_ERR", 0x4008_af22, .file),
        Self("SET_BACKEND_FEATURES", 0x4008_af25, .set(byteCount: 8)),
        Self("GET_BACKEND_FEATURES", 0x8008_af26, .get(byteCount: 8, isHexadecimal: true)),
        Self("GET_DEVICE_ID", 0x8004_af70, .get(byteCount: 4, isHexadecimal: false)),
        Self("GET_STATUS", 0x8001_af71, .get(byteCount: 1, isHexadecimal: true)),
        Self("SET_STATUS", 0x4001_af72, .set(byteCount: 1)),
        Self("GET_CONFIG", 0x8008_af73, .getConfiguration),
        Self("SET_CONFIG", 0x4008_af74, .setConfiguration),
        Self("SET_VRING_ENABLE", 0x4008_af75, .setState),
        Self("GET_VRING_NUM", 0x8002_af76, .get(byteCount: 2, isHexadecimal: false)),
        Self("SET_CONFIG_CALL", 0x4004_af77, .descriptor),
        Self("GET_IOVA_RANGE", 0x8010_af78, .getRange),
        Self("GET_CONFIG_SIZE", 0x8004_af79, .get(byteCount: 4, isHexadecimal: false)),
        Self("GET_AS_NUM", 0x8004_af7a, .get(byteCount: 4, isHexadecimal: false)),
        Self("GET_VRING_GROUP", 0xc008_af7b, .getState),
        Self("SET_GROUP_ASID", 0x4008_af7c, .setState, fields: ("group", "asid")),
        Self("SUSPEND", 0xaf7d, .nothing),
        Self("RESUME", 0xaf7e, .nothing),
        Self("GET_VRING_DESC_GROUP", 0xc008_af7f, .getState),
        Self("GET_VQS_COUNT", 0x8004_af80, .get(byteCount: 4, isHexadecimal: false)),
        Self("GET_GROUP_NUM", 0x8004_af81, .get(byteCount: 4, isHexadecimal: false)),
        Self("GET_VRING_SIZE", 0xc008_af82, .getState),
        Self("SET_FORK_FROM_OWNER", 0x4001_af84, .set(byteCount: 1)),
        Self("GET_FORK_FROM_OWNER", 0x8001_af85, .get(byteCount: 1, isHexadecimal: false)),
    ]

    private static let byNumber = Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0) })
    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The request of that number; `nil` where it has no name.
    public static func numbered(_ number: UInt) -> Self? { byNumber[number] }
    /// The request of that name.
    public static func named(_ name: some StringProtocol) -> Self? { byName[String(name)] }
}

extension ScriptRequest {
    /// A request by its name, which must be one.
    public init(_ name: String, _ argument: Argument) {
        guard let kind = ScriptRequestKind.named(name) else { preconditionFailure("no request \(name)") }
        self.init(number: kind.number, argument)
    }

    /// What is known of it; `nil` where it has no name.
    public var kind: ScriptRequestKind? { .numbered(number) }
}
