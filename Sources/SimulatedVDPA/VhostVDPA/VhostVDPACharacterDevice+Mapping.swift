internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// Turning an update into entries: by virtual address, or by pinned page.
extension VhostVDPACharacterDevice {
    /// `vhost_vdpa_va_map`: only shared file mappings become entries; whatever else lies in the range is left
    /// out, with success.
    ///
    /// In the kernel a device access that the process could not make itself fails in the copy. The data path
    /// has no such net, so an entry here never allows more than the area does, and where the kernel lets an
    /// entry start in a hole below an area, the hole stays unmapped: both become a fault, too.
    func mapVirtualAddresses(_ message: VhostMessage) throws(Errno) {
        let (end, wraps) = message.userAddress.addingReportingOverflow(message.size)
        let range = message.userAddress..<(wraps ? .max : end)
        let mappings = try mappings(range)
        let memory = HeldMemory(range, areas: mappings)
        var iova = message.iova
        var address = message.userAddress
        var left = message.size
        do throws(Errno) {
            while left > 0 {
                guard let area = mappings.firstArea(endingAbove: address) else { throw .invalidArgument }
                let step = min(left, area.end - address)
                let hole = address < area.start ? area.start - address : 0
                if area.isShared, hole < step {
                    try add(
                        try entry(
                            iova: iova + hole, host: address + hole, size: step - hole,
                            access: message.access.intersection(area.access)),
                        in: memory, addressSpace: message.addressSpace)
                }
                left -= step
                address &+= step
                iova &+= step
            }
        } catch {
            // Where the first step fails at address 0, the kernel's end wraps and everything goes.
            unmap(first: message.iova, size: iova &- message.iova, addressSpace: message.addressSpace)
            throw error
        }
    }

    /// `vhost_vdpa_pa_map`: memlock first, then the pages, one entry per physically contiguous run; a failure
    /// half way takes everything back.
    func mapPinned(_ message: VhostMessage) throws(Errno) {
        let page = UInt64(HostPage.byteCount)
        // PFN_UP: a sum that 64 bits do not hold is no page.
        let (span, overflow) = message.size.addingReportingOverflow(message.iova % page + page - 1)
        guard !overflow else { throw .invalidArgument }
        let pages = Int(span / page)
        let start = message.userAddress - message.userAddress % page
        let pinned = HostAddress(rawValue: start)
        let access = message.access
        if let fragment = mapping.fragment.map(UInt64.init) {
            let byteCount = UInt64(pages) * page
            neededEntries = Int(clamping: byteCount / fragment + (byteCount % fragment == 0 ? 0 : 1))
        }
        try pin(start: pinned, pages: pages, access: access)
        var iova = message.iova - message.iova % page
        var host = start
        var left = UInt64(pages) * page
        do throws(Errno) {
            let memory = HeldMemory(start..<start + left, areas: try mappings(start..<start + left))
            while left > 0 {
                let run = min(left, UInt64(mapping.fragment ?? Int.max))
                try add(
                    try entry(iova: iova, host: host, size: run, access: access), in: memory,
                    addressSpace: message.addressSpace)
                left -= run
                iova &+= run
                host &+= run
            }
        } catch {
            // The runs that became entries are unpinned with them, the rest here.
            pinner.unpin(start: HostAddress(rawValue: host), pages: Int(left / page), logger: logger)
            unmap(first: message.iova, size: message.size, addressSpace: message.addressSpace)
            throw error
        }
    }

    /// Unpins the pages of entries that are gone, neighbours in memory together: a mapping of many runs goes
    /// as it came, at once.
    func unpin(_ entries: [TranslationEntry]) {
        var run: Range<UInt64>?
        func letGo() {
            guard let run else { return }
            pinner.unpin(
                start: HostAddress(rawValue: run.lowerBound), pages: run.count / HostPage.byteCount,
                logger: logger)
        }
        for entry in entries {
            let start = entry.host.rawValue
            let end = start + (entry.range.last.rawValue - entry.range.first.rawValue) + 1
            if let last = run, last.upperBound == start {
                run = last.lowerBound..<end
            } else {
                letGo()
                run = start..<end
            }
        }
        letGo()
    }

    private func pin(start: HostAddress, pages: Int, access: MemoryAccess) throws(Errno) {
        do throws(PinRefusal) {
            try pinner.pin(
                start: start, pages: pages, access: access, limit: mapping.pinLimit, logger: logger)
        } catch {
            refusalWords = RefusalWords.pinning(error.reason, isDevices: mapping.pinLimit != nil)
            throw error.errno
        }
    }

    private func entry(
        iova: UInt64, host: UInt64, size: UInt64, access: MemoryAccess
    ) throws(Errno) -> TranslationEntry {
        guard
            let range = AddressRange(
                first: IOVirtualAddress(rawValue: iova), byteCount: ByteCount(rawValue: size))
        else { throw .invalidArgument }
        return TranslationEntry(range: range, host: HostAddress(rawValue: host), access: access)
    }
}
