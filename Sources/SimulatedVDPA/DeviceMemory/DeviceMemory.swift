internal import GuestMemory

/// What keeps the memory of a device's maps within its reach, whatever the client does to its own mapping.
///
/// vhost-vdpa holds what its entries name, as it pins them; the device holds what its table names, which may be older:
/// a batch is open, a parent keeps a table over a close. Entries themselves have the client's addresses everywhere;
/// only the worker is given others. Control thread only.
package final class DeviceMemory {
    private struct Hold {
        let host: HostAddress
        let memory: HeldMemory
    }

    private typealias Holds = [IOVirtualAddress: Hold]

    /// The pages that were not there where the device had a map of them.
    let vanished = VanishedPages()

    /// By address space, then by an entry's first address: vhost-vdpa's.
    private var held: [UInt32: Holds] = [:]
    /// The same for what the worker has.
    private var installed: [Int: Holds] = [:]

    /// vhost-vdpa has a new entry in `memory`.
    func hold(_ memory: HeldMemory, for entry: TranslationEntry, addressSpace: UInt32) {
        held[addressSpace, default: [:]][entry.range.first] = Hold(host: entry.host, memory: memory)
    }

    /// vhost-vdpa has the entry no longer.
    func letGo(of entry: TranslationEntry, addressSpace: UInt32) {
        held[addressSpace]?[entry.range.first] = nil
    }

    /// Gives `entries`, the table of an address space, to `install` with the addresses the worker is to use, and lets
    /// go of what the worker had before. Memory that nobody holds, as a driver's in the kernel, has its own address.
    func install(
        _ entries: [TranslationEntry], addressSpace: Int, _ install: ([TranslationEntry]) -> Void
    ) {
        let new = held[UInt32(addressSpace)] ?? [:]
        let old = installed[addressSpace] ?? [:]
        var used: Holds = [:]
        used.reserveCapacity(entries.count)
        var reached: [TranslationEntry] = []
        reached.reserveCapacity(entries.count)
        for entry in entries {
            let first = entry.range.first
            guard let hold = Self.hold(new[first], of: entry) ?? Self.hold(old[first], of: entry) else {
                reached.append(entry)
                continue
            }
            used[first] = hold
            hold.memory.reach(entry, into: &reached)
        }
        install(reached)
        installed[addressSpace] = used
    }

    /// `hold`, unless it is another entry's at the same address.
    private static func hold(_ hold: Hold?, of entry: TranslationEntry) -> Hold? {
        hold.flatMap { $0.host == entry.host ? $0 : nil }
    }
}
