internal import GuestMemory
internal import LinuxHost
internal import Logging
internal import SystemPackage
internal import VhostVDPA

/// How an address space takes entries: what the kernel and its module parameters settle.
package struct MappingPolicy: Hashable, Sendable {
    /// The most entries of one address space, or `nil` for any number.
    package var entryLimit: Int?
    /// The length of a physically contiguous run in bytes, where memory is pinned; `nil` for unbroken memory.
    package var fragment: Int?
    /// The most pages pinned in total, or `nil` for RLIMIT_MEMLOCK.
    package var pinLimit: Int?

    package init(entryLimit: Int?, fragment: Int? = nil, pinLimit: Int? = nil) {
        self.entryLimit = entryLimit
        self.fragment = fragment
        self.pinLimit = pinLimit
    }
}

/// vhost-vdpa's own view of the maps: the address spaces, each made by the first message that needs it, what is pinned
/// for them, and what the parent or the platform's IOMMU is told.
///
/// It is one open file's. A reset of the device leaves all of it as it stands. It is a class because a parent that is
/// called may look into it. Control thread only.
final class VhostIOTLB {
    private let parent: any ParentDriver
    /// The parent again, where it is the simulation's own: its worker takes tables as a whole, and has memory within its
    /// reach for as long as an entry names it.
    private let simulated: SimulatedParent?
    private let description: ParentDescription
    private let policy: MappingPolicy
    private let pinner: any Pinner
    private let mappings: ProcessMappings.Source
    private let logger: Logger

    /// The address spaces that exist, by number.
    private var addressSpaces: [UInt32: EntryTable] = [:]
    /// The address space of the batch, while one is open.
    private var batch: UInt32?
    /// The domain of the platform's IOMMU, where the parent has no map operations: it lives as long as the file.
    private var domain: PlatformDomain?
    private var failureLog: MapFailureLog
    /// Why the last message was refused, `nil` where it was not.
    private(set) var refusal: String?
    /// Whose message it is.
    private var caller = CallerProcess.this

    /// Without an address space, and without a domain yet.
    init(
        parent: any ParentDriver, description: ParentDescription, policy: MappingPolicy, pinner: any Pinner,
        mappings: @escaping ProcessMappings.Source, logger: Logger
    ) {
        self.parent = parent
        simulated = parent as? SimulatedParent
        self.description = description
        self.policy = policy
        self.pinner = pinner
        self.mappings = mappings
        self.logger = logger
        failureLog = MapFailureLog(logger: logger)
    }

    /// What was refused, or failed with nobody told, oldest first.
    var failures: [MapFailure] { failureLog.failures }

    /// The entries of every address space that exists.
    var entries: [UInt32: [TranslationEntry]] { addressSpaces.mapValues(\.entries) }

    // MARK: The file is opened and closed

    /// `vhost_vdpa_alloc_domain`.
    func allocateDomain() {
        guard let platform = simulated?.platformIOMMU else { return }
        let made = PlatformDomain()
        platform.attach(made)
        domain = made
        simulated?.applyMaps()
    }

    /// `vhost_vdpa_cleanup`: every space that exists loses its entries, then gets its `reset_map`; the domain goes last.
    func cleanUp() {
        batch = nil
        for space in addressSpaces.keys.sorted() {
            removeEntries(touching: 0, through: .max, addressSpace: space)
            if description.operations.contains(.resetMap) { try? parent.resetMap(addressSpace: space) }
        }
        addressSpaces = [:]
        if domain != nil { simulated?.platformIOMMU?.detach() }  // vhost_vdpa_free_domain
        domain = nil
        simulated?.applyMaps()
    }

    // MARK: Messages

    /// Does what `message` asks for; EFAULT for whatever stands against it, as ``refusal`` and ``failures`` then say.
    ///
    /// That the caller is the device's owner is the first thing that is asked.
    func take(_ message: VhostMessage, from process: CallerProcess, isOwner: Bool) throws(Errno) {
        defer { simulated?.applyMaps() }
        caller = process
        refusal = nil
        do throws(MessageRefusal) {
            guard isOwner else { throw MessageRefusal(.notPermitted) }
            try self.process(message)
        } catch {
            refusal =
                "the simulated kernel's reason is \(describe(error.cause))"
                + (error.words.map { ": \($0)" } ?? "")
            failureLog.add(MapFailure(message: message, cause: error.cause, isSilent: false))
            throw .badAddress
        }
    }

    /// `vhost_vdpa_process_iotlb_msg`.
    private func process(_ message: VhostMessage) throws(MessageRefusal) {
        let space = message.addressSpace
        if message.kind == .update || message.kind == .batchBegin { try createIfNeeded(space) }
        // The space a message of another batch created stays, although the message fails.
        if let batch, batch != space { throw MessageRefusal(.invalidArgument) }
        guard addressSpaces[space] != nil else { throw MessageRefusal(.invalidArgument) }
        switch message.kind {
        case .update: try update(message)
        case .invalidate: unmap(first: message.iova, size: message.size, addressSpace: space)
        case .batchBegin: batch = space
        case .batchEnd: endBatch(message)
        default: throw MessageRefusal(.invalidArgument)
        }
    }

    private func createIfNeeded(_ addressSpace: UInt32) throws(MessageRefusal) {
        guard addressSpaces[addressSpace] == nil else { return }
        guard addressSpace < UInt32(description.addressSpaceCount) else {
            throw MessageRefusal(.invalidArgument)
        }
        addressSpaces[addressSpace] = EntryTable(limit: policy.entryLimit)
    }

    /// The parent's answer reaches nobody: the kernel ignores it.
    private func endBatch(_ message: VhostMessage) {
        if batch != nil, description.mapOperation == .setMap { setWholeMap(after: message) }
        batch = nil
    }

    // MARK: Mapping

    private func update(_ message: VhostMessage) throws(MessageRefusal) {
        guard
            let range = AddressRange(
                first: IOVirtualAddress(rawValue: message.iova), byteCount: ByteCount(rawValue: message.size)),
            description.iovaRange.contains(range)
        else { throw MessageRefusal(.invalidArgument) }
        if addressSpaces[message.addressSpace]?.overlaps(range) == true { throw MessageRefusal(.fileExists) }
        if description.usesVirtualAddresses {
            try mapVirtualAddresses(message)
        } else {
            try mapPinned(message)
        }
    }

    /// `vhost_vdpa_va_map`: only shared file mappings become entries; whatever else lies in the range is left
    /// out, with success. An area begins where the one before it ends: a hole below it is part of its entry.
    ///
    /// In the kernel a device access that the process could not make itself fails in the copy. The data path
    /// has no such net, so an entry here never allows more than the area does, and the worker is not given the hole
    /// (``HeldMemory``): both become a fault, too.
    private func mapVirtualAddresses(_ message: VhostMessage) throws(MessageRefusal) {
        let (end, wraps) = message.userAddress.addingReportingOverflow(message.size)
        let range = message.userAddress..<(wraps ? .max : end)
        let mappings = try mappings(of: range)
        let memory = HeldMemory(
            range, areas: mappings, of: caller, hasHoles: true, vanished: simulated?.memory.vanished)
        var iova = message.iova
        var address = message.userAddress
        var left = message.size
        do throws(MessageRefusal) {
            while left > 0 {
                guard let area = mappings.firstArea(endingAbove: address) else {
                    throw MessageRefusal(.invalidArgument)
                }
                let step = min(left, area.end - address)
                if area.isShared {
                    let entry = try entry(
                        iova: iova, host: address, size: step,
                        access: message.access.intersection(area.access))
                    try add(entry, in: memory, addressSpace: message.addressSpace)
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
    private func mapPinned(_ message: VhostMessage) throws(MessageRefusal) {
        let page = UInt64(HostPage.byteCount)
        // PFN_UP: a sum that 64 bits do not hold is no page.
        let (span, overflow) = message.size.addingReportingOverflow(message.iova % page + page - 1)
        guard !overflow else { throw MessageRefusal(.invalidArgument) }
        let pages = Int(span / page)
        var iova = message.iova - message.iova % page
        var host = message.userAddress - message.userAddress % page
        var left = UInt64(pages) * page
        let run = policy.fragment.map(UInt64.init) ?? left
        let runs = Int(clamping: left / run + (left % run == 0 ? 0 : 1))
        try pin(start: HostAddress(rawValue: host), pages: pages, access: message.access)
        do throws(MessageRefusal) {
            let memory = HeldMemory(
                host..<host + left, areas: try mappings(of: host..<host + left), of: caller)
            try populate(memory, for: message.access)
            while left > 0 {
                let size = min(left, run)
                let entry = try entry(iova: iova, host: host, size: size, access: message.access)
                try add(entry, in: memory, addressSpace: message.addressSpace, oneOf: runs)
                left -= size
                iova &+= size
                host &+= size
            }
        } catch {
            // The runs that became entries are unpinned with them, the rest here.
            pinner.unpin(start: HostAddress(rawValue: host), pages: Int(left / page), logger: logger)
            unmap(first: message.iova, size: message.size, addressSpace: message.addressSpace)
            throw error
        }
    }

    /// What `pin_user_pages` does to another process's pages besides. A pinned page that its file loses later is no fault of
    /// the device's.
    private func populate(_ memory: HeldMemory, for access: MemoryAccess) throws(MessageRefusal) {
        guard caller.isForeign else { return }
        do throws(Errno) {
            try memory.populate(for: access)
        } catch {
            throw MessageRefusal(
                .badAddress,
                "a page is not to be had: its file ends before it, or has no room (\(error))")
        }
    }

    private func mappings(of range: Range<UInt64>) throws(MessageRefusal) -> ProcessMappings {
        do throws(Errno) {
            return caller.isForeign ? try caller.mappings(range) : try mappings(range)
        } catch {
            throw MessageRefusal(error)
        }
    }

    private func pin(start: HostAddress, pages: Int, access: MemoryAccess) throws(MessageRefusal) {
        do throws(PinRefusal) {
            try pinner.pin(
                start: start, pages: pages, access: access, limit: policy.pinLimit, logger: logger)
        } catch {
            throw MessageRefusal(
                error.errno, RefusalWords.pinning(error.reason, isDevices: policy.pinLimit != nil))
        }
    }

    private func entry(
        iova: UInt64, host: UInt64, size: UInt64, access: MemoryAccess
    ) throws(MessageRefusal) -> TranslationEntry {
        guard
            let range = AddressRange(
                first: IOVirtualAddress(rawValue: iova), byteCount: ByteCount(rawValue: size))
        else { throw MessageRefusal(.invalidArgument) }
        return TranslationEntry(range: range, host: HostAddress(rawValue: host), access: access)
    }

    /// Adds an entry, which is in `memory` and one of `count` that its message takes, and tells the parent as its kind
    /// wants it; takes the entry back if the parent refuses.
    private func add(
        _ entry: TranslationEntry, in memory: HeldMemory, addressSpace: UInt32, oneOf count: Int = 1
    ) throws(MessageRefusal) {
        do throws(Errno) {
            try addressSpaces[addressSpace]?.insert(entry)
        } catch {
            let limit = error == .noSpace ? policy.entryLimit : nil
            throw MessageRefusal(error, limit.map { RefusalWords.entries(limit: $0, needed: count) })
        }
        simulated?.memory.hold(memory, for: entry, addressSpace: addressSpace)
        do throws(Errno) {
            switch description.mapOperation {
            case .dmaMap: try parent.map(entry, addressSpace: addressSpace)
            case .setMap where batch == nil: try setMap(addressSpace)
            case .setMap: break
            case .platform: try simulated?.platformIOMMU?.map(entry)
            }
        } catch {
            addressSpaces[addressSpace]?.remove(
                touching: entry.range.first.rawValue, through: entry.range.last.rawValue)
            simulated?.memory.letGo(of: entry, addressSpace: addressSpace)
            let whose = description.mapOperation == .platform ? "platform" : "parent driver"
            throw MessageRefusal(error, "the \(whose)'s \(description.mapOperation.kernelName) failed")
        }
    }

    // MARK: Unmapping

    /// `vhost_vdpa_unmap`: every entry that touches the range goes whole, and `set_map` follows outside a batch.
    ///
    /// The end is computed as the kernel computes it: from 0 with size 0 it is everything.
    private func unmap(first: UInt64, size: UInt64, addressSpace: UInt32) {
        removeEntries(touching: first, through: first &+ size &- 1, addressSpace: addressSpace)
        guard description.mapOperation == .setMap, batch == nil else { return }
        setWholeMap(after: VhostMessage(invalidating: first, size: size, addressSpace: addressSpace))
    }

    private func removeEntries(touching first: UInt64, through last: UInt64, addressSpace: UInt32) {
        let removed = addressSpaces[addressSpace]?.remove(touching: first, through: last) ?? []
        if !description.usesVirtualAddresses { pinner.unpin(removed, logger: logger) }
        for entry in removed {
            simulated?.memory.letGo(of: entry, addressSpace: addressSpace)
            switch description.mapOperation {
            case .dmaMap: parent.unmap(entry.range, addressSpace: addressSpace)
            case .platform: domain?.unmap(entry.range)
            case .setMap: break
            }
        }
    }

    // MARK: The parent's whole table, and what fails

    private func setMap(_ addressSpace: UInt32) throws(Errno) {
        try parent.setMap(addressSpaces[addressSpace]?.entries ?? [], addressSpace: addressSpace)
    }

    /// Hands the parent its whole table where the kernel ignores the answer: only our log has it.
    private func setWholeMap(after message: VhostMessage) {
        do throws(Errno) {
            try setMap(message.addressSpace)
        } catch {
            failureLog.add(MapFailure(message: message, cause: error, isSilent: true))
        }
    }
}
