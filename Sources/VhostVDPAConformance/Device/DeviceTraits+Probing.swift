internal import VhostVDPA

extension DeviceTraits {
    /// Asks the device, in a few opens.
    ///
    /// - Throws: ``RuleInterruption`` where not even that is answered, or could be asked. What only some rules need to know
    ///   and could not be asked makes the outcome of those ``RuleOutcome/notAsked(reason:)``.
    public static func probe(_ opener: DeviceOpener) throws(RuleInterruption) -> DeviceTraits {
        var traits = DeviceTraits()
        do throws(RuleInterruption) {
            try traits.probeNumbers(opener)
            traits.usesVirtualAddresses = try traits.probePinning(opener)
        } catch {
            guard let reason = shortage(error) else { throw error }
            throw .notAsked(reason: reason)
        }
        traits.probeTraffic(opener)
        if let reason = traits.unknown.traffic {
            traits.unknown.reset = reason
            traits.unknown.identity = reason
        } else if traits.noTraffic == nil {
            traits.probeReset(opener)
            traits.probeIdentity(opener)
        } else {
            traits.noIdentity = traits.noTraffic
        }
        return traits
    }

    /// What the one who asks was short of when a probe ended, with this error or none.
    private static func shortage(_ error: RuleInterruption?) -> String? {
        if case .notAsked(let reason) = error { return reason }
        return CallerShortage.now
    }

    private mutating func probeNumbers(_ opener: DeviceOpener) throws(RuleInterruption) {
        let context = RuleContext(opener: opener, traits: self)
        defer { context.closeAll() }
        let client = try context.open()
        deviceID = UInt32(try value("GET_DEVICE_ID", client.get(Request.getDeviceID, count: 4)))
        features = try value("GET_FEATURES", client.get(Request.getFeatures, count: 8))
        backendFeatures = try value(
            "GET_BACKEND_FEATURES", client.get(Request.getBackendFeatures, count: 8))
        configurationSize = UInt32(try value("GET_CONFIG_SIZE", client.get(Request.getConfigSize, count: 4)))
        vringCount = UInt32(try value("GET_VQS_COUNT", client.get(Request.getVqsCount, count: 4)))
        maximumVringSize = UInt32(try value("GET_VRING_NUM", client.get(Request.getVringNum, count: 2)))
        groupCount = UInt32(try value("GET_GROUP_NUM", client.get(Request.getGroupNum, count: 4)))
        addressSpaceCount = UInt32(try value("GET_AS_NUM", client.get(Request.getASNum, count: 4)))
        var range = [UInt8](repeating: 0, count: 16)
        try expect("GET_IOVA_RANGE", client.call(Request.getIOVARange, bytes: &range))
        iovaFirst = range[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        iovaLast = range[8...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Whether a map of a shared page leaves the account of pinned pages alone.
    private func probePinning(_ opener: DeviceOpener) throws(RuleInterruption) -> Bool {
        let context = RuleContext(opener: opener, traits: self)
        defer { context.closeAll() }
        let client = try context.owned()
        let pages = try TestPages(pages: 1)
        pages.settle()
        let before = try opener.countedPins()
        try expect("UPDATE", client.update(max(0x1000_0000, iovaFirst), pages))
        return try before == opener.countedPins()
    }

    /// Whether a frame gets through, and whether a map in a batch is there at once.
    private mutating func probeTraffic(_ opener: DeviceOpener) {
        guard deviceID == 1, vringCount >= 2 else {
            noTraffic = "not a network device with a queue pair"
            return
        }
        let context = RuleContext(opener: opener, traits: self)
        defer { context.closeAll() }
        do throws(RuleInterruption) {
            let client = try context.owned()
            let driver = try context.driver()
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            try expect("UPDATE", driver.map(client))
            try driver.start(client)
            let isThere = try driver.transmits(within: opener.quietMilliseconds)
            unknown.traffic = Self.shortage(nil)
            if isThere {
                mapOperation = iovaLast == .max || usesVirtualAddresses ? .dmaMap : .platform
                return
            }
            mapOperation = .setMap
            try expect("BATCH_END", client.send(.batchEnd))
            driver.kick()
            guard try driver.used() == 0 else { return }
            noTraffic = "a frame sent in the plainest way is not taken"
        } catch {
            noTraffic = "\(error)"
            unknown.traffic = Self.shortage(error)
        }
    }

    /// Whether the maps are there after a reset without an acknowledgement. The platform's are vhost-vdpa's own.
    private mutating func probeReset(_ opener: DeviceOpener) {
        guard mapOperation != .platform else { return }
        let context = RuleContext(opener: opener, traits: self)
        defer { context.closeAll() }
        do throws(RuleInterruption) {
            let client = try context.owned(acknowledging: 0)
            let driver = try context.driver()
            try expect("UPDATE", driver.map(client))
            try driver.start(client)
            try driver.expectTraffic("before the reset")
            try expect("reset", client.setStatus(0))
            try driver.start(client)
            unknown.reset = Self.shortage(nil)
            keepsMapsOverReset = try driver.transmits(within: opener.quietMilliseconds)
        } catch {
            // A device that does not get this far loses them: the rules will say how far it gets.
            keepsMapsOverReset = false
            unknown.reset = Self.shortage(error)
        }
    }

    /// Whether a ring without any map works at the address the machine has for it.
    private mutating func probeIdentity(_ opener: DeviceOpener) {
        noIdentity = "without a map the device reaches no memory, not even one to one"
        guard mapOperation != .platform else {
            noIdentity = "the device is behind the platform's IOMMU"
            return
        }
        guard opener.kernel >= KernelRelease(6, 7) else {
            noIdentity = "the kernel is older than 6.7: its on-chip tables are empty without maps"
            return
        }
        let context = RuleContext(opener: opener, traits: self)
        defer { context.closeAll() }
        do throws(RuleInterruption) {
            let client = try context.owned()
            let driver = try context.driver()
            guard let address = try context.identityAddress(driver.page) else { return }
            try driver.start(client, at: address)
            unknown.identity = Self.shortage(nil)
            if try driver.transmits(within: 4 * opener.quietMilliseconds) { noIdentity = nil }
        } catch {
            unknown.identity = Self.shortage(error)
        }
    }

    /// The page's address for a device in identity: the owner's virtual one, or the machine's physical one.
    func identityAddress(_ page: TestPages) throws(RuleInterruption) -> UInt64? {
        usesVirtualAddresses ? UInt64(page.address) : try page.physicalAddress()
    }
}
