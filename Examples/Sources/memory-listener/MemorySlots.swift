import GuestMemory

/// The memory map of a VMM that keeps its own, as KVM's memory slots: ranges of guest memory, and who wants to know of
/// them.
final class MemorySlots: MemoryListenerRegistry {
    private var slots: [MemorySection] = []
    private var listeners: [any MemoryListener] = []

    /// Puts `block` at `address`, and tells every listener.
    func plug(_ block: RAMBlock, at address: GuestPhysicalAddress) throws(GuestMemoryError) {
        guard let range = AddressRange(first: address, byteCount: block.byteCount),
            !slots.contains(where: { $0.range.overlaps(range) })
        else {
            throw GuestMemoryError(code: .invalidTopology, context: "\(block.name) has no room at \(address)")
        }
        let slot = MemorySection(
            range: range, regionName: block.name, regionOffset: .zero,
            backing: .memory(host: block.hostRange.first), isReadOnly: false)
        for (number, listener) in listeners.enumerated() {
            do throws(GuestMemoryError) {
                try tell(listener, add: [slot])
            } catch {
                // All of them have it, or none.
                for other in listeners[..<number].reversed() { try tell(other, remove: [slot]) }
                throw error
            }
        }
        slots.append(slot)
    }

    func register(_ listener: any MemoryListener) throws(GuestMemoryError) {
        try tell(listener, add: slots)
        listeners.append(listener)
    }

    func unregister(_ listener: any MemoryListener) throws(GuestMemoryError) {
        guard let index = listeners.firstIndex(where: { $0 === listener }) else { return }
        try tell(listener, remove: slots)
        listeners.remove(at: index)
    }

    /// One transaction, in the order that every listener relies on: what goes, then what comes, then the commit.
    private func tell(
        _ listener: any MemoryListener, remove: [MemorySection] = [], add: [MemorySection] = []
    ) throws(GuestMemoryError) {
        listener.begin()
        for slot in remove { listener.remove(slot) }
        for slot in add { listener.add(slot) }
        do throws(MemoryListenerError) {
            try listener.commit()
        } catch {
            throw GuestMemoryError(
                code: .listenerRefused, context: "a memory listener refused: \(error)",
                underlying: error.underlying)
        }
    }
}
