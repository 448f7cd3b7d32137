/// A device seen from both sides of its file, in plain numbers: what a random sequence is compared by.
package struct DeviceInterior: Hashable, Sendable {
    /// One mapping, with inclusive bounds.
    package struct Entry: Hashable, Sendable {
        package var first: UInt64
        package var last: UInt64
        package var host: UInt64
        package var access: UInt8

        package init(first: UInt64, last: UInt64, host: UInt64, access: UInt8) {
            self.first = first
            self.last = last
            self.host = host
            self.access = access
        }
    }

    /// One address space of the device's own IOMMU.
    package struct Space: Hashable, Sendable {
        /// Lowest address first.
        package var entries: [Entry]
        /// The 1:1 state in which nothing of the guest's translates.
        package var isIdentity: Bool

        package init(entries: [Entry], isIdentity: Bool) {
            self.entries = entries
            self.isIdentity = isIdentity
        }
    }

    package var device: [Space]
    /// vhost-vdpa's entries by address space, lowest address first; only spaces that exist.
    package var vhost: [UInt32: [Entry]]
    /// The address space of the first group of queues.
    package var groupSpace: UInt32
    package var pinnedPages: Int
    package var isOpen: Bool

    package init(
        device: [Space], vhost: [UInt32: [Entry]], groupSpace: UInt32, pinnedPages: Int, isOpen: Bool
    ) {
        self.device = device
        self.vhost = vhost
        self.groupSpace = groupSpace
        self.pinnedPages = pinnedPages
        self.isOpen = isOpen
    }
}

extension DeviceInterior: CustomStringConvertible {
    /// One line for people: each space's maps from both sides, and the rest.
    package var description: String {
        let inDevice = device.enumerated().map { "space \($0) \($1)" }
        let inVhost = vhost.sorted { $0.key < $1.key }.map { "space \($0.key) \(Self.text($0.value))" }
        return "device \(inDevice.joined(separator: ", ")); vhost-vdpa"
            + " \(inVhost.isEmpty ? "no space" : inVhost.joined(separator: ", ")); group 0 in space \(groupSpace),"
            + " \(pinnedPages) pages pinned, \(isOpen ? "open" : "closed")"
    }

    fileprivate static func text(_ entries: [Entry]) -> String {
        entries.isEmpty ? "empty" : entries.map(\.description).joined(separator: " ")
    }
}

extension DeviceInterior.Space: CustomStringConvertible {
    package var description: String {
        isIdentity && entries.isEmpty ? "one to one" : DeviceInterior.text(entries)
    }
}

extension DeviceInterior.Entry: CustomStringConvertible {
    package var description: String {
        func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
        let rights = [(1, "r"), (2, "w")].map { access & $0 == 0 ? "-" : $1 }.joined()
        return "[\(hexadecimal(first))-\(hexadecimal(last)) to \(hexadecimal(host)) \(rights)]"
    }
}
