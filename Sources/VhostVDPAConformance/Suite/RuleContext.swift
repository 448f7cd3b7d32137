internal import SystemPackage
internal import VhostVDPA

/// What an action has: the device to open, and what is known about it. Closes everything it opened.
package final class RuleContext {
    let opener: DeviceOpener
    let traits: DeviceTraits
    private var opened: [RuleClient] = []
    /// Kept until the device is closed: a running device may look at a driver's page until then.
    private var drivers: [OnePageDriver] = []

    init(opener: DeviceOpener, traits: DeviceTraits) {
        self.opener = opener
        self.traits = traits
    }

    var kernel: KernelRelease { opener.kernel }

    /// Opens the device afresh.
    func open() throws(RuleInterruption) -> RuleClient {
        do throws(Errno) {
            let client = RuleClient(try opener.open())
            opened.append(client)
            return client
        } catch {
            try requireAnswer("open", error)
            throw .failed(expected: "open: success", seen: "open: \(name(error))")
        }
    }

    /// What a further open answers; one that succeeds is closed.
    func openError() -> Errno? {
        do throws(Errno) {
            try opener.open().close()
            return nil
        } catch {
            return error
        }
    }

    /// Opens the device and owns it, with these backend features acknowledged.
    func owned(acknowledging features: UInt64? = nil) throws(RuleInterruption) -> RuleClient {
        let client = try open()
        try expect("SET_OWNER", client.call(Request.setOwner))
        if let features { try expect("SET_BACKEND_FEATURES", client.acknowledge(features)) }
        return client
    }

    /// The driver features that any vDPA network driver takes, and status up to `status`, one bit after the other.
    func setStatus(_ client: RuleClient, upTo status: UInt8) throws(RuleInterruption) {
        try client.setStatus(upTo: status, features: traits.driverFeatures)
    }

    /// A driver with pages of its own, mapped nowhere yet.
    func driver() throws(RuleInterruption) -> OnePageDriver {
        let driver = try OnePageDriver(opener, traits)
        drivers.append(driver)
        return driver
    }

    /// The page's address for a device in its 1:1 state; `nil` where there is none.
    func identityAddress(_ page: TestPages) throws(RuleInterruption) -> UInt64? {
        guard let identity = opener.identity else { return try traits.identityAddress(page) }
        return identity.share(page.address, page.byteCount)
    }

    /// The bytes that this process has pinned.
    func pinnedBytes() throws(RuleInterruption) -> UInt64 { try opener.countedPins() }

    /// Throws where pinned memory in runs of one page makes two entries of two pages that follow each other.
    func requireLongRuns(pages: Int) throws(RuleInterruption) {
        guard !traits.usesVirtualAddresses, let run = opener.runByteCount,
            run < UInt64(pages * TestPages.pageSize)
        else { return }
        throw .notApplicable(reason: "pinned memory is in runs of \(run) bytes here")
    }

    /// Throws where `maps` maps of `pages` pages each take more entries than an address space has.
    func requireEntries(maps: Int, pages: Int) throws(RuleInterruption) {
        guard let limit = opener.entryLimit, let run = opener.runByteCount else { return }
        let needed = maps * Int((UInt64(pages * TestPages.pageSize) + run - 1) / run)
        guard needed > limit else { return }
        throw .notApplicable(reason: "\(needed) entries are needed, and an address space has \(limit)")
    }

    func closeAll() {
        for client in opened where !client.isClosed {
            // A parent without reset_map keeps the table of a client that is gone, and our pages go now.
            _ = client.setStatus(0)
            _ = client.send(.batchEnd)
            for space in 0..<traits.addressSpaceCount { _ = client.send(.invalidate, asid: space) }
            client.close()
        }
        opened = []
        opener.identity?.withdraw()
        drivers = []
    }
}
