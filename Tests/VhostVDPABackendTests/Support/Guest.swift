import GuestMemory
import VhostVDPABackend

/// An address space reduced to what a listener sees of one: a set of sections, and changes to it.
final class FakeAddressSpace: MemoryListenerRegistry {
    private(set) var sections: [MemorySection]
    private(set) var listener: (any MemoryListener)?

    /// Why nobody may register.
    var refusal: GuestMemoryError?

    init(_ sections: [MemorySection] = Guest.sections) { self.sections = sections }

    func register(_ listener: any MemoryListener) throws(GuestMemoryError) {
        if let refusal { throw refusal }
        self.listener = listener
        do throws(MemoryListenerError) {
            try change(removing: [], adding: sections, keeping: [])
        } catch {
            self.listener = nil
            throw refused(error)
        }
    }

    func unregister(_ listener: any MemoryListener) throws(GuestMemoryError) {
        guard self.listener === listener else { return }
        defer { self.listener = nil }
        do throws(MemoryListenerError) {
            try change(removing: sections, adding: [], keeping: [])
        } catch {
            throw refused(error)
        }
    }

    /// A listener's error as an address space passes it on.
    private func refused(_ error: MemoryListenerError) -> GuestMemoryError {
        GuestMemoryError(
            code: .listenerRefused, context: "a listener refused: \(error)", underlying: error.underlying)
    }

    func plug(_ section: MemorySection) throws {
        try change(removing: [], adding: [section], keeping: sections)
        sections.append(section)
    }

    func unplug(_ section: MemorySection) throws {
        try change(removing: [section], adding: [], keeping: sections.filter { $0 != section })
        sections.removeAll { $0 == section }
    }

    /// One transaction in the contract's order.
    func change(
        removing: [MemorySection], adding: [MemorySection], keeping: [MemorySection]
    ) throws(MemoryListenerError) {
        listener?.begin()
        for section in removing { listener?.remove(section) }
        for section in adding { listener?.add(section) }
        for section in keeping { listener?.keep(section) }
        try listener?.commit()
    }
}

/// A guest of three sections: low RAM, a ROM of 64 KiB and RAM above, with nothing behind the addresses.
enum Guest {
    static let lowRAM = section(0x0, 0xa0000, "ram.low")
    static let rom = section(0xf0000, 0x10000, "bios", isReadOnly: true)
    static let highRAM = section(0x10_0000, 0x70_0000, "ram.high")
    static let dimm = section(0x1_0000_0000, 0x80_0000, "dimm0")
    static let sections = [lowRAM, rom, highRAM]

    static func section(
        _ first: UInt64, _ byteCount: UInt64, _ name: String, isReadOnly: Bool = false, hostOffset: UInt64 = 0
    ) -> MemorySection {
        guard
            let range = AddressRange(
                first: GuestPhysicalAddress(rawValue: first), byteCount: ByteCount(rawValue: byteCount))
        else { fatalError("\(name) is empty or wraps") }
        let host = HostAddress(rawValue: 0x7000_0000_0000 + (first & 0xff_ffff_ffff) + hostOffset)
        return MemorySection(
            range: range, regionName: name, regionOffset: .zero, backing: .memory(host: host),
            isReadOnly: isReadOnly)
    }
}
