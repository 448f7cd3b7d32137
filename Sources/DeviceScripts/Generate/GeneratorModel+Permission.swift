internal import GuestMemory
internal import VhostVDPA

/// What may be done.
extension GeneratorModel {
    /// Whether the step does no harm and its effect is settled by what went before: not by time, not by what the machine's
    /// memory holds.
    func permits(_ step: ScriptStep) -> Bool {
        switch step {
        case .signal(let name, let count):
            if Self.fills(count), isCall(name) { return false }
            let bound = queues.filter { $0.kick == name }.count
            if bound > 0, profile.sparesKernel, !runs { return false }
            return bound == 0 || mayKick && (bound == 1 || !hasWork)
        case .request(let request, _, let caller): return permits(request, caller)
        case .message(let message, _): return permits(message)
        case .map(let doorbell, _):
            return !profile.sparesKernel || doorbell.queue.rawValue < profile.queueCount
        case .unmap(let name, _, _), .protect(let name, _, _, _):
            return name != GeneratorRings.memory && (memories[name]?.isMapped != true || !hasForeignRings)
        default: return true
        }
    }

    private func permits(_ request: ScriptRequest, _ caller: ScriptCaller) -> Bool {
        switch (request.kind?.name, request.argument) {
        case ("SET_VRING_KICK", .file(_, .eventFD(let name))):
            return mayKick && (!profile.sparesKernel || runs || !signalledEvents.contains(name))
        case ("SET_VRING_CALL", .file(let index, .eventFD(let name))): return permitsCall(index, name)
        case ("SET_CONFIG_CALL", .descriptor(.eventFD(let name))): return !fullEvents.contains(name)
        case ("RESUME", _): return mayKick
        // A device with work left that stops and goes on is as one that is kicked.
        case ("SET_STATUS", .number(let number)):
            if number & 4 != 0, profile.sparesKernel, mayRefuseStatus { return false }
            return number & 4 == 0 || runs || mayKick
        default: return true
        }
    }

    private func permitsCall(_ index: VringIndex, _ name: ScriptName) -> Bool {
        guard !fullEvents.contains(name) else { return false }
        guard profile.sparesKernel, index.rawValue < profile.queueCount else { return true }
        return index.rawValue < UInt32(queues.count)
            && !queues.enumerated().contains { $0.offset != Int(index.rawValue) && $0.element.call == name }
    }

    private func permits(_ message: ScriptMessage) -> Bool {
        if profile.sparesKernel, message.kind == .update, !(1...3).contains(message.access) { return false }
        guard message.kind == .update, message.size > 0, let last = lastAddress(message) else { return true }
        if maps.overlaps(space(of: message), message.iova.rawValue, last) { return true }
        if case .memory(let name, let offset) = message.memory, let memory = memories[name] {
            // Where the memory ends in a hole, what comes behind must be known, and not be somebody else's.
            if profile.mapsVirtualAddresses {
                if offset > memory.byteCount {
                    return name == memoryOrder.first && 0 &- offset >= message.size
                }
                guard let pages = memory.indexes(offset, message.size) else { return false }
                return memory.pages[pages.upperBound] != .hole
                    || memory.pieceEnd(at: offset + message.size - 1) != nil
                    || hasMemory(after: name)
            }
        }
        // Below the lowest memory of the script there may be somebody's.
        if profile.mapsVirtualAddresses {
            if case .number(let address) = message.memory { return address.rawValue >= Self.userEnd }
            return true
        }
        let pages = (message.size &+ message.iova.rawValue % page &+ page &- 1) / page
        return pages <= 1 && message.iova.rawValue % page == 0
    }

    /// Whether the device may look at its rings now: nothing that it could reach is somebody else's, and what it reaches of
    /// ours is whole.
    private var mayKick: Bool {
        guard profile.loopsFrames || !hasWork else { return false }
        for (index, queue) in queues.enumerated() where queue.isEnabled {
            guard profile.breaksRings || isOrderly(queue, index) else { return false }
            let group = profile.group(of: index)
            let spaces = group < groupSpaces.count ? groupSpaces[group] : [0]
            for space in spaces {
                for device in maps.devices where !mayLook(queue, device, space) { return false }
            }
        }
        return true
    }

    /// Whether what is in memory is a ring that the device can follow, where it looks for it.
    private func isOrderly(_ queue: GeneratorQueue, _ index: Int) -> Bool {
        guard queue.isOrderly else { return false }
        guard let ring = queue.ring, ring.place == .home, let low = queue.low else { return true }
        return image.isOrderly(index, size: UInt16(clamping: ring.size), from: low, to: queue.avail)
    }

    private func mayLook(_ queue: GeneratorQueue, _ device: GeneratorDeviceMaps, _ space: UInt32) -> Bool {
        let state = device[space]
        guard !profile.sparesKernel || hasMappedRing(queue, state.entries) else { return false }
        switch queue.ring?.place ?? .unset {
        case .unset:
            if state.isIdentity { return profile.mapsVirtualAddresses }
            return mayLook(state.entries, 0, GeneratorRings.iova - 1)
        case .foreign(let first, let last):
            if state.isIdentity {
                return profile.mapsVirtualAddresses && last < GeneratorRings.lowEnd
            }
            return !hasLostMemory && !state.entries.contains { $0.touches(first, last) }
        case .home:
            if state.isIdentity { return profile.mapsVirtualAddresses }
            return profile.breaksRings || isWhole(state.entries)
        }
    }

    /// Whether the device may take what is mapped in these addresses for a ring: nobody else's memory is, and nothing that it
    /// cannot write to, of which vdpa_sim takes chains and never returns them.
    private func mayLook(_ entries: [GeneratorEntry], _ first: UInt64, _ last: UInt64) -> Bool {
        !entries.contains { $0.touches(first, last) && (hasLostMemory || $0.access != 3) }
    }

    /// The device has no ring, or finds it: its accesses are none that the kernel's log would tell of.
    private func hasMappedRing(_ queue: GeneratorQueue, _ entries: [GeneratorEntry]) -> Bool {
        switch queue.ring?.place ?? .unset {
        case .unset: true
        case .foreign: false
        case .home:
            entries.contains { $0.touches(GeneratorRings.iova, GeneratorRings.last) } && isWhole(entries)
        }
    }

    /// All of the rings' memory is mapped as it should be, or nothing is at its place.
    private func isWhole(_ entries: [GeneratorEntry]) -> Bool {
        let touching = entries.filter { $0.touches(GeneratorRings.iova, GeneratorRings.last) }
        if touching.isEmpty { return true }
        var covered: UInt64 = 0
        for entry in touching {
            guard entry.memory == GeneratorRings.memory, entry.access == 3,
                entry.first &- GeneratorRings.iova == entry.offset
            else { return false }
            covered += min(entry.last, GeneratorRings.last) - max(entry.first, GeneratorRings.iova) + 1
        }
        return covered == GeneratorRings.byteCount
    }

    /// Whether the device may do something by itself after the step, which was made.
    func isWork(_ step: ScriptStep) -> Bool {
        switch step {
        case .signal(let name, _): queues.contains { $0.kick == name }
        case .request(let request, _, _):
            switch (request.kind?.name, request.argument) {
            case ("SET_VRING_KICK", .file(_, .eventFD)), ("RESUME", _), ("SET_STATUS", _): runs
            default: false
            }
        case .ring: true
        default: false
        }
    }
}
