internal import VhostVDPA

/// What is wrong with a faulty parent, by the name the specification uses.
///
/// A fault strikes every time its occasion comes, unless it says otherwise, until the device is repaired.
public enum SimulatedFault: String, CaseIterable, Sendable {
    /// Offers IOTLB_PERSIST, and every reset loses the maps all the same.
    case losesMaps = "loses-maps"
    /// The third entry of an address space is refused with EIO: half way through a map.
    case mapHalfWay = "map-half-way"
    /// `set_map` refuses every table that is not empty, with EIO. At BATCH_END nobody is told.
    case setMap = "set-map"
    /// `suspend` fails with EIO, and the device runs on.
    case suspend
    /// Whatever makes the device act takes 20 ms longer.
    case late
    /// The device asks for a reset (NEEDS_RESET) as soon as it is started for the second time; once.
    case dies
}

extension SimulatedFault {
    /// How much longer a late device takes for one operation.
    package static let lateness = Duration.milliseconds(20)

    /// What a device of this kind cannot have the fault with, why, and what to choose instead; `nil` where it can.
    func contradiction(
        kernel: KernelVersion, parent: SimulatedParentKind, offersPersist: Bool
    ) -> String? {
        switch self {
        case .losesMaps where !offersPersist:
            "\(Self.cause(kernel, parent)): only a device that offers IOTLB_PERSIST can break that promise, and this "
                + "one does not offer it; take reset-map=on, kernel=6.12 or parent=platform"
        case .mapHalfWay where parent.mapOperation == .setMap:
            "parent=\(parent.rawValue): this parent gets its map in one call and has no half way; take "
                + "parent=dma-map, or fault=set-map"
        case .setMap where parent.mapOperation != .setMap:
            "parent=\(parent.rawValue): it has no set_map; take parent=set-map or parent=vduse"
        case .suspend where parent == .vduse && !kernel.vduseSuspends:
            "parent=vduse: it has no SUSPEND that could fail before Linux 7.3; take kernel=7.3 or parent=set-map"
        case .suspend where !parent.canSuspend(under: kernel):
            "parent=\(parent.rawValue): it has no SUSPEND that could fail; take parent=set-map"
        case .losesMaps, .mapHalfWay, .setMap, .suspend, .late, .dies: nil
        }
    }

    /// The key by which a device does not offer IOTLB_PERSIST.
    private static func cause(_ kernel: KernelVersion, _ parent: SimulatedParentKind) -> String {
        guard kernel.hasResetMap else { return "kernel=\(kernel.rawValue)" }
        return parent.choosesResetOperations ? "reset-map=off" : "parent=\(parent.rawValue)"
    }
}
