internal import LinuxHost
internal import VhostVDPA

/// What cannot exist, and why.
extension SimulatedDeviceSpecification {
    /// Refuses what no kernel has; `givenEntryLimit` is what was asked for, not the default.
    func validate(givenEntryLimit: Int?) throws(SimulatedDeviceSpecificationError) {
        try validateParent()
        try validateResetOperations()
        try validateMapping(givenEntryLimit)
        try validateProfile()
        guard (1...Self.maximumQueuePairs).contains(queuePairs) else {
            throw SimulatedDeviceSpecificationError(
                .invalidValue, "queues=\(queuePairs): a device has 1 to \(Self.maximumQueuePairs) queue pairs"
            )
        }
        if let fault,
            let reason = fault.contradiction(
                kernel: kernel, parent: parent, offersPersist: offersPersist)
        {
            throw Self.contradiction("fault=\(fault.rawValue) cannot be with \(reason)")
        }
    }

    /// IOTLB_PERSIST is offered, as `vhost_vdpa_has_persistent_map` decides it.
    package var offersPersist: Bool {
        guard kernel.hasResetMap else { return false }
        return hasResetMap || parent.mapOperation == .platform || parent == .vendor
    }

    private func validateParent() throws(SimulatedDeviceSpecificationError) {
        if parent == .vendor, !kernel.hasResetMap {
            throw Self.contradiction(
                "parent=vendor cannot be with kernel=\(kernel.rawValue): it declares IOTLB_PERSIST, which came "
                    + "with Linux 6.7; take kernel=6.12")
        }
        if parent == .mlx5, !kernel.hasResetMap {
            throw Self.contradiction(
                "parent=mlx5 cannot be with kernel=\(kernel.rawValue): its descriptor group came with Linux 6.7; take "
                    + "kernel=6.12")
        }
        if parent == .mlx5, usesVirtualAddresses {
            throw Self.contradiction(
                "use-va=on cannot be with parent=mlx5: the card is given physical addresses; leave it out")
        }
        if parent.mapOperation == .platform, usesVirtualAddresses {
            throw Self.contradiction(
                "use-va=on cannot be with parent=\(parent.rawValue): the platform's IOMMU is given physical "
                    + "addresses, and vdpa_alloc_device refuses use_va without set_map or dma_map; leave it out"
            )
        }
        if parent == .vduse, !usesVirtualAddresses {
            throw Self.contradiction(
                "use-va=off cannot be with parent=vduse: VDUSE hands files and virtual addresses to a process "
                    + "and pins nothing; leave it out or take parent=set-map")
        }
        guard let rule = parent.resetRule else { return }
        let chosen = [
            ("reset-map", hasResetMap), ("compat-reset", hasCompatReset), ("wipe-on-reset", wipesOnReset),
        ]
        for (key, isOn) in chosen where isOn {
            throw Self.contradiction(
                "\(key)=on cannot be with parent=\(parent.rawValue): \(rule); leave it out or take "
                    + "parent=set-map or parent=dma-map")
        }
    }

    private func validateResetOperations() throws(SimulatedDeviceSpecificationError) {
        if hasResetMap, !kernel.hasResetMap {
            throw Self.contradiction(
                "reset-map=on cannot be with kernel=\(kernel.rawValue): .reset_map came with Linux 6.7; "
                    + "leave it out or take kernel=6.12")
        }
        if hasCompatReset, !kernel.hasResetMap {
            throw Self.contradiction(
                "compat-reset=on cannot be with kernel=\(kernel.rawValue): .compat_reset came with Linux 6.7; "
                    + "leave it out or take kernel=6.12")
        }
        if wipesOnReset, hasResetMap {
            throw Self.contradiction(
                "wipe-on-reset=on cannot be with reset-map=on: such a parent promises to keep its maps over a "
                    + "reset; add reset-map=off")
        }
    }

    private func validateMapping(_ givenEntryLimit: Int?) throws(SimulatedDeviceSpecificationError) {
        if fragment != nil, usesVirtualAddresses {
            throw Self.contradiction(
                "fragment= cannot be with use-va=on: only pinned pages have physical runs; \(toPin)")
        }
        if memlock != nil, usesVirtualAddresses {
            throw Self.contradiction(
                "memlock= cannot be with use-va=on: nothing is pinned, so nothing is limited; \(toPin)")
        }
        if givenEntryLimit != nil, !kernel.enforcesEntryLimit {
            throw Self.contradiction(
                "entries= cannot be with kernel=\(kernel.rawValue): that kernel does not count entries; "
                    + "leave it out or take kernel=6.12")
        }
        if let givenEntryLimit, givenEntryLimit < 1 {
            throw SimulatedDeviceSpecificationError(
                .invalidValue, "entries=\(givenEntryLimit): at least one entry is needed")
        }
        if let fragment, fragment <= 0 || fragment % HostPage.byteCount != 0 {
            throw SimulatedDeviceSpecificationError(
                .invalidValue,
                "fragment=\(fragment): must be a multiple of the page size, \(HostPage.byteCount) bytes")
        }
    }

    private func validateProfile() throws(SimulatedDeviceSpecificationError) {
        switch profile {
        case .standard: break
        case .vdpasimNet: try validateSimulator()
        case .qemuNet: try validateQEMU()
        }
    }

    /// What QEMU's card behind vp_vdpa cannot be.
    private func validateQEMU() throws(SimulatedDeviceSpecificationError) {
        if parent != .vpVDPA {
            throw Self.contradiction(
                "profile=qemu-net cannot be with parent=\(parent.rawValue): QEMU's card has vp_vdpa for its parent; leave "
                    + "it out or take parent=vp-vdpa")
        }
        if queuePairs != 1 {
            throw Self.contradiction(
                "profile=qemu-net cannot be with queues=\(queuePairs): QEMU's card has one pair here; leave it out"
            )
        }
    }

    /// What the kernel's simulator cannot be.
    private func validateSimulator() throws(SimulatedDeviceSpecificationError) {
        if parent != .setMap, parent != .dmaMap {
            throw Self.contradiction(
                "profile=vdpasim-net cannot be with parent=\(parent.rawValue): that parent is not vdpa_sim; "
                    + "use parent=set-map (batch_mapping=1) or parent=dma-map (batch_mapping=0)")
        }
        if queuePairs != 1 {
            throw Self.contradiction(
                "profile=vdpasim-net cannot be with queues=\(queuePairs): vdpa_sim_net has one pair; leave it "
                    + "out")
        }
        if usesVirtualAddresses, !kernel.simulatorTakesVirtualAddresses {
            throw Self.contradiction(
                "use-va=on cannot be with profile=vdpasim-net,kernel=\(kernel.rawValue): that kernel's vdpa_sim "
                    + "pins; leave it out or take kernel=6.12")
        }
    }

    /// What makes a device of this kind pin.
    private var toPin: String { parent == .vduse ? "take parent=set-map,use-va=off" : "add use-va=off" }

    private static func contradiction(_ reason: String) -> SimulatedDeviceSpecificationError {
        SimulatedDeviceSpecificationError(.contradiction, reason)
    }
}

extension SimulatedParentKind {
    /// What a driver of this kind does at a reset; `nil` where that can be chosen.
    fileprivate var resetRule: String? {
        switch self {
        case .platform, .stateful, .vpVDPA:
            "without map operations the maps are vhost-vdpa's own and no reset reaches them"
        case .vendor: "it keeps its maps over a reset on its own word, with .reset alone"
        case .vduse: "VDUSE has .reset alone, which keeps the user's maps"
        case .dmaMap, .setMap, .mlx5: nil
        }
    }
}
