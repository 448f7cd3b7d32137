internal import GuestMemory
internal import Logging
package import SystemPackage
internal import VhostVDPA

/// IOTLB messages: what write() takes, and vhost-vdpa's own view of the maps.
extension VhostVDPACharacterDevice {
    /// `vhost_chr_write_iter`: one message per call. Everything the handler objects to is EFAULT; the cause is in
    /// ``mapFailures``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard isOpen else { throw .badFileDescriptor }
        let message = try VhostMessage(
            at: UInt(bitPattern: bytes.baseAddress), byteCount: bytes.count, acknowledged: backendFeatures)
        defer { simulated?.applyMaps() }
        refusalWords = nil
        neededEntries = 1
        refusal = nil
        do throws(Errno) {
            try process(message)
        } catch {
            refusal =
                "the simulated kernel's reason is \(describe(error))" + (refusalWords.map { ": \($0)" } ?? "")
            record(MapFailure(message: message, cause: error, isSilent: false))
            throw .badAddress
        }
        return VhostMessage.reportedByteCount
    }

    /// `vhost_vdpa_process_iotlb_msg`.
    private func process(_ message: VhostMessage) throws(Errno) {
        try checkOwner()
        let addressSpace = message.addressSpace
        if message.kind == .update || message.kind == .batchBegin { try createIfNeeded(addressSpace) }
        // The space a message of another batch created stays, although the message fails.
        if let batch, batch != addressSpace { throw .invalidArgument }
        guard addressSpaces[addressSpace] != nil else { throw .invalidArgument }
        switch message.kind {
        case .update: try update(message)
        case .invalidate:
            unmap(first: message.iova, size: message.size, addressSpace: addressSpace)
        case .batchBegin: batch = addressSpace
        case .batchEnd: endBatch(message)
        default: throw .invalidArgument
        }
    }

    private func createIfNeeded(_ addressSpace: UInt32) throws(Errno) {
        guard addressSpaces[addressSpace] == nil else { return }
        guard addressSpace < UInt32(description.addressSpaceCount) else { throw .invalidArgument }
        addressSpaces[addressSpace] = EntryTable(limit: mapping.entryLimit)
    }

    /// The parent's answer reaches nobody: the kernel ignores it.
    private func endBatch(_ message: VhostMessage) {
        if batch != nil, description.mapOperation == .setMap { setWholeMap(after: message) }
        batch = nil
    }

    private func update(_ message: VhostMessage) throws(Errno) {
        guard
            let range = AddressRange(
                first: IOVirtualAddress(rawValue: message.iova), byteCount: ByteCount(rawValue: message.size)),
            description.iovaRange.contains(range)
        else { throw .invalidArgument }
        if addressSpaces[message.addressSpace]?.overlaps(range) == true { throw .fileExists }
        if description.usesVirtualAddresses {
            try mapVirtualAddresses(message)
        } else {
            try mapPinned(message)
        }
    }

    /// `vhost_vdpa_unmap`: every entry that touches the range goes whole, and `set_map` follows outside a batch.
    ///
    /// The end is computed as the kernel computes it: from 0 with size 0 it is everything.
    func unmap(first: UInt64, size: UInt64, addressSpace: UInt32) {
        removeEntries(touching: first, through: first &+ size &- 1, addressSpace: addressSpace)
        guard description.mapOperation == .setMap, batch == nil else { return }
        setWholeMap(after: VhostMessage(invalidating: first, size: size, addressSpace: addressSpace))
    }

    /// Hands the parent its whole table where the kernel ignores the answer: only our log has it.
    private func setWholeMap(after message: VhostMessage) {
        let addressSpace = message.addressSpace
        do throws(Errno) {
            try parent.setMap(addressSpaces[addressSpace]?.entries ?? [], addressSpace: addressSpace)
        } catch {
            record(MapFailure(message: message, cause: error, isSilent: true))
        }
    }

    /// Adds an entry, which is in `memory`, and tells the parent as its kind wants it; takes the entry back if the
    /// parent refuses.
    func add(_ entry: TranslationEntry, in memory: HeldMemory, addressSpace: UInt32) throws(Errno) {
        try insert(entry, addressSpace: addressSpace)
        simulated?.memory.hold(memory, for: entry, addressSpace: addressSpace)
        do throws(Errno) {
            switch description.mapOperation {
            case .dmaMap: try parent.map(entry, addressSpace: addressSpace)
            case .setMap where batch == nil:
                try parent.setMap(addressSpaces[addressSpace]?.entries ?? [], addressSpace: addressSpace)
            case .setMap: break
            case .platform: try simulated?.platformIOMMU?.map(entry)
            }
        } catch {
            addressSpaces[addressSpace]?.remove(
                touching: entry.range.first.rawValue, through: entry.range.last.rawValue)
            simulated?.memory.letGo(of: entry, addressSpace: addressSpace)
            let whose = description.mapOperation == .platform ? "platform" : "parent driver"
            refusalWords = "the \(whose)'s \(description.mapOperation.kernelName) failed"
            throw error
        }
    }

    private func insert(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno) {
        do throws(Errno) {
            try addressSpaces[addressSpace]?.insert(entry)
        } catch {
            if error == .noSpace, let limit = mapping.entryLimit {
                refusalWords = RefusalWords.entries(limit: limit, needed: neededEntries)
            }
            throw error
        }
    }

    /// `vhost_vdpa_cleanup`: every space that exists loses its entries, then gets its `reset_map`.
    func removeAddressSpaces() {
        for space in addressSpaces.keys.sorted() {
            removeEntries(touching: 0, through: .max, addressSpace: space)
            if description.operations.contains(.resetMap) { try? parent.resetMap(addressSpace: space) }
        }
        addressSpaces = [:]
        freeDomain()
        simulated?.applyMaps()
    }

    /// `vhost_vdpa_free_domain`.
    private func freeDomain() {
        guard domain != nil else { return }
        simulated?.platformIOMMU?.detach()
        domain = nil
    }

    private func removeEntries(touching first: UInt64, through last: UInt64, addressSpace: UInt32) {
        let removed = addressSpaces[addressSpace]?.remove(touching: first, through: last) ?? []
        if !description.usesVirtualAddresses { unpin(removed) }
        for entry in removed {
            simulated?.memory.letGo(of: entry, addressSpace: addressSpace)
            switch description.mapOperation {
            case .dmaMap: parent.unmap(entry.range, addressSpace: addressSpace)
            case .platform: domain?.unmap(entry.range)
            case .setMap: break
            }
        }
    }

    private func record(_ failure: MapFailure) {
        if mapFailures.count == Self.mapFailureLimit { mapFailures.removeFirst() }
        mapFailures.append(failure)
        // Whoever sent a message that is refused is told the cause; of the others nobody else knows.
        logger.log(
            level: failure.isSilent ? .warning : .info, "IOTLB message refused",
            metadata: [
                "type": "\(failure.message.kind.rawValue)", "asid": "\(failure.message.addressSpace)",
                "iova": "\(IOVirtualAddress(rawValue: failure.message.iova))",
                "size": "\(failure.message.size)",
                "cause": "\(failure.cause)", "silent": "\(failure.isSilent)",
            ])
    }
}
