internal import VhostVDPA

/// What a device must be, or offer, before a rule can be asked of it.
package enum RuleNeed: Hashable, Sendable {
    /// A network device whose transmit queue takes frames.
    case traffic
    /// An IOMMU on the device: set_map or dma_map.
    case onChip
    /// The platform's IOMMU.
    case platform
    /// set_map, deferred in a batch.
    case setMap
    /// The kernel's vdpa_sim_net, or a simulation of it: a control queue and 24 bytes of configuration.
    case simulatorNetwork
    /// Maps name virtual addresses (use_va=1).
    case virtualAddresses
    /// Pages are pinned (use_va=0).
    case pinned
    /// A reset without an acknowledged IOTLB_PERSIST takes the device's maps, or leaves them.
    case losesMaps, keepsMaps
    /// At least this many address spaces.
    case addressSpaces(UInt32)
    /// The backend feature with this bit is offered.
    case backendFeature(Int)
    /// A kernel from this release on.
    case since(KernelRelease)
    /// The 1:1 state of an on-chip IOMMU moves packets.
    case identity
    /// The call goes past ``CharacterDevice``, to the descriptor itself.
    case descriptor

    var tag: String {
        switch self {
        case .traffic: "traffic"
        case .onChip: "on-chip IOMMU"
        case .platform: "platform IOMMU"
        case .setMap: "B1"
        case .simulatorNetwork: "S"
        case .virtualAddresses: "U"
        case .pinned: "P"
        case .losesMaps: "loses maps"
        case .keepsMaps: "keeps maps"
        case .addressSpaces(let count): "\(count) address spaces"
        case .backendFeature(let bit): "backend feature \(bit)"
        case .since(let release): "Linux \(release)"
        case .identity: "identity"
        case .descriptor: "descriptor"
        }
    }

    /// What stands between a rule and its answer.
    enum Obstacle: Hashable {
        /// The device is not what the rule is about.
        case notOffered(String)
        /// Whether it is could not be found out.
        case unknown(String)
    }

    /// Why the device cannot be asked, or `nil` where it can.
    func obstacle(in traits: DeviceTraits, _ opener: DeviceOpener) -> Obstacle? {
        if let reason = unknown(in: traits) { return .unknown(reason) }
        return missing(in: traits, opener).map { .notOffered($0) }
    }

    /// Why it could not be found out whether the device is, or offers, this.
    private func unknown(in traits: DeviceTraits) -> String? {
        switch self {
        case .traffic, .onChip, .platform, .setMap, .simulatorNetwork: traits.unknown.traffic
        case .losesMaps, .keepsMaps: traits.unknown.reset
        case .identity: traits.unknown.identity
        case .virtualAddresses, .pinned, .addressSpaces, .backendFeature, .since, .descriptor:
            nil
        }
    }

    /// What it lacks.
    private func missing(in traits: DeviceTraits, _ opener: DeviceOpener) -> String? {
        switch self {
        case .traffic: traits.noTraffic
        case .onChip:
            traits.mapOperation == .platform ? "the device is behind the platform's IOMMU" : nil
        case .platform:
            traits.mapOperation == .platform ? nil : "the device has an IOMMU of its own"
        case .setMap:
            traits.mapOperation == .setMap ? nil : "the device takes maps at once: a batch defers nothing"
        case .simulatorNetwork:
            traits.isSimulatorNetwork ? nil : "not a device like vdpa_sim_net"
        case .virtualAddresses:
            traits.usesVirtualAddresses ? nil : "the device's maps pin pages"
        case .pinned:
            traits.usesVirtualAddresses ? "the device's maps are virtual addresses: nothing is pinned" : nil
        case .losesMaps:
            traits.keepsMapsOverReset ? "this parent keeps its maps over every reset" : nil
        case .keepsMaps:
            traits.keepsMapsOverReset ? nil : "an unacknowledged reset takes this parent's maps"
        case .addressSpaces(let count):
            traits.addressSpaceCount < count
                ? "the device has \(traits.addressSpaceCount) address space(s)" : nil
        case .backendFeature(let bit):
            traits.backendFeatures & (1 << UInt64(bit)) == 0
                ? "the device does not offer backend feature \(bit)" : nil
        case .since(let release):
            opener.kernel < release ? "the kernel is older than \(release)" : nil
        case .identity: traits.noIdentity
        case .descriptor:
            opener.descriptor == nil ? "a simulated device has no descriptor" : nil
        }
    }
}
