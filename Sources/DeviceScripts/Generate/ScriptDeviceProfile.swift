public import GuestMemory
internal import VhostVDPA

/// What a generator knows of a device before it makes a script for it.
///
/// The same seed gives the same script for the same profile: it holds what the device says of itself, nothing of a moment.
public struct ScriptDeviceProfile: Hashable, Sendable {
    /// The number of queues.
    public var queueCount: UInt32
    /// The largest ring it says it takes.
    public var maximumQueueSize: UInt32
    /// The group of each queue, as far as it tells.
    public var groups: [UInt32]
    /// The number of groups.
    public var groupCount: UInt32
    /// The number of address spaces.
    public var addressSpaceCount: UInt32
    /// The lowest address it can use.
    public var firstAddress: IOVirtualAddress
    /// The highest address it can use.
    public var lastAddress: IOVirtualAddress
    /// The virtio features it offers, the lower 64 bits.
    public var features: UInt64
    /// The backend features that vhost-vdpa offers for it.
    public var backendFeatures: UInt64
    /// The size of the configuration space.
    public var configurationByteCount: UInt32
    /// The device's own address, where it is a network device that says one.
    public var address: [UInt8]
    /// Maps name virtual addresses of the owner; otherwise they pin its pages.
    public var mapsVirtualAddresses: Bool
    /// Frames that are sent come back, and one worker serves all queues whichever is kicked: vdpa_sim_net. The rings of
    /// other devices are set up and started, but nothing is put into them.
    public var loopsFrames: Bool
    /// It says where its rings stand, and takes where they are to go on. A ring of another device begins at 0.
    public var givesPositions = true
    /// Rings may hold what virtio forbids: chains that break its rules or do not translate, indexes that jump. What a
    /// device does with them is its own affair.
    public var breaksRings = false
    /// Leaves out the calls that bring the kernel down behind vp_vdpa (docs/real-device.md, "Three more, in vp_vdpa"): one
    /// eventfd as the call of two queues, DRIVER_OK after features without ACCESS_PLATFORM, an UPDATE that permits nothing.
    /// So it does with what is the kernel's own affair or logged as a fault: the doorbell of what is no queue, which is
    /// whatever lies behind the parent's array, rings that the device would look for where nothing is mapped, and kicks before DRIVER_OK.
    ///
    /// A device that pins and is not the kernel's simulator may be such a one. With `false` they are made.
    public var sparesKernel = false

    /// The profile of vdpa_sim_net as Linux 6.12 has it.
    public static let simulatorNetwork = Self(
        queueCount: 3, maximumQueueSize: 256, groups: [0, 0, 1], groupCount: 2, addressSpaceCount: 2,
        firstAddress: IOVirtualAddress(rawValue: 0), lastAddress: IOVirtualAddress(rawValue: .max),
        features: 0x3_0883_0028, backendFeatures: 0x17e, configurationByteCount: 24,
        address: [0x52, 0x54, 0, 0x12, 0x34, 0x56], mapsVirtualAddresses: true, loopsFrames: true)

    /// Whether a backend feature is offered.
    func offers(_ feature: BackendFeatures) -> Bool { backendFeatures & feature.rawValue == feature.rawValue }

    /// The group of a queue; 0 where it does not tell.
    func group(of queue: Int) -> Int { queue < groups.count ? Int(groups[queue]) : 0 }
}

extension ScriptDeviceProfile {
    /// The most queues whose groups are asked for.
    private static let groupQuestions: UInt32 = 8

    /// Steps that ask a device for its profile, and leave it closed. Nothing runs meanwhile.
    ///
    /// Whether maps are virtual is seen from private memory: it is mapped twice with success where it is left out.
    public static let questions: [ScriptStep] =
        [.memory("asked", byteCount: ByteCount(ScriptMemory.pageByteCount), .private), .open(file: .device)]
        + [
            "GET_VQS_COUNT", "GET_VRING_NUM", "GET_GROUP_NUM", "GET_AS_NUM", "GET_IOVA_RANGE", "GET_FEATURES",
            "GET_BACKEND_FEATURES", "GET_CONFIG_SIZE", "GET_DEVICE_ID",
        ].map { .request(ScriptRequest($0, .nothing), file: .device) }
        + [
            .request(ScriptRequest("GET_CONFIG", .configurationRead(offset: 0, byteCount: 6)), file: .device),
            .request(ScriptRequest("SET_OWNER", .nothing), file: .device),
        ]
        + (0..<groupQuestions).map { queue in
            .request(
                ScriptRequest("GET_VRING_GROUP", .state(index: VringIndex(rawValue: queue), number: 0)),
                file: .device)
        }
        + [
            .request(
                ScriptRequest("GET_VRING_BASE", .state(index: VringIndex(rawValue: 0), number: 0)),
                file: .device),
            mapping, mapping, .close(file: .device),
        ]

    private static let mapping = ScriptStep.message(
        ScriptMessage(
            .update, iova: IOVirtualAddress(rawValue: 0x10_0000), size: UInt64(ScriptMemory.pageByteCount),
            memory: .memory("asked", offset: 0), access: 3),
        file: .device)

    /// The profile that the answers to ``questions`` give; `nil` where one of them is missing or the device was not
    /// opened.
    public init?(answers: [ScriptAnswer]) {
        guard answers.count == Self.questions.count, answers[1].isSuccess else { return nil }
        func number(_ index: Int) -> UInt64? {
            guard case .number(let number) = answers[index] else { return nil }
            return number
        }
        guard let queues = number(2), let size = number(3), let features = number(7), let backend = number(8),
            let configuration = number(9), let kind = number(10)
        else { return nil }
        queueCount = UInt32(clamping: queues)
        maximumQueueSize = UInt32(clamping: size)
        groupCount = UInt32(clamping: number(4) ?? 1)
        addressSpaceCount = UInt32(clamping: number(5) ?? 1)
        (firstAddress, lastAddress) = (.init(rawValue: 0), .init(rawValue: .max))
        if case .range(let first, let last) = answers[6] {
            (firstAddress, lastAddress) = (.init(rawValue: first), .init(rawValue: last))
        }
        self.features = features
        backendFeatures = backend
        configurationByteCount = UInt32(clamping: configuration)
        if case .bytes(let bytes) = answers[11] { address = bytes } else { address = [] }
        groups = []
        for queue in 0..<Int(min(queues, UInt64(Self.groupQuestions))) {
            groups.append(UInt32(clamping: number(13 + queue) ?? 0))
        }
        let position = 13 + Int(Self.groupQuestions)
        givesPositions = answers[position].isSuccess
        let maps = position + 1
        mapsVirtualAddresses = answers[maps].isSuccess && answers[maps + 1].isSuccess
        // The kernel's simulator is told by its queues, its configuration and its command: as the rules tell it.
        loopsFrames =
            kind == 1 && queues == 3 && configuration == 24 && features & (1 << 17) != 0 && size == 256
        sparesKernel = !mapsVirtualAddresses && !loopsFrames
    }
}
