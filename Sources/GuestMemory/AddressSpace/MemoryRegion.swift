import Synchronization

/// A node of the tree that describes a machine's physical address space.
///
/// Regions overlap freely; ``AddressSpace`` decides by priority what the guest finds at an address. A region
/// is made free-standing and immutable in kind and size; where it stands, and whether it is enabled, is
/// changed only by the address space whose tree it is in, on the control thread.
public final class MemoryRegion {
    /// What a region is made of.
    enum Kind {
        /// Nothing of its own: subregions show, everything else is a hole.
        case container
        case memory(RAMBlock)
        case device
        /// A window into another region, from `offset` on.
        case alias(MemoryRegion, offset: UInt64)
    }

    /// A region within another.
    struct Subregion {
        let region: MemoryRegion
        /// The offset in the parent of the region's first byte.
        let offset: UInt64
        let priority: Int
        /// Whether the region was added to overlap its siblings.
        let mayOverlap: Bool
    }

    private static let serial = Atomic<UInt64>(0)

    /// The name that errors and listings print.
    public let name: String
    /// The size, or `nil` for the whole 64-bit space.
    public let byteCount: ByteCount?
    /// Whether the region takes part in the memory map.
    public internal(set) var isEnabled = true
    /// Whether writes through this region change nothing; holds for everything within it too.
    public internal(set) var isReadOnly: Bool

    /// Distinguishes regions of the same name and outlives them, as an address would not.
    let id: UInt64
    let kind: Kind
    weak var parent: MemoryRegion?
    /// By falling priority, and the later one first among equals: the order in which they win.
    var subregions: [Subregion] = []

    private init(name: String, byteCount: ByteCount?, isReadOnly: Bool = false, kind: Kind) {
        self.name = name
        self.byteCount = byteCount
        self.isReadOnly = isReadOnly
        self.kind = kind
        id = Self.serial.add(1, ordering: .relaxed).newValue
    }

    /// A region that only holds others; `nil` makes it as large as the address space.
    public static func container(_ name: String, byteCount: ByteCount? = nil) -> MemoryRegion {
        MemoryRegion(name: name, byteCount: byteCount, kind: .container)
    }

    /// A whole RAM block, readable and writable, under the block's name.
    public static func ram(_ block: RAMBlock) -> MemoryRegion {
        MemoryRegion(name: block.name, byteCount: block.byteCount, kind: .memory(block))
    }

    /// A whole RAM block that the guest and its devices may only read.
    public static func rom(_ block: RAMBlock) -> MemoryRegion {
        MemoryRegion(name: block.name, byteCount: block.byteCount, isReadOnly: true, kind: .memory(block))
    }

    /// A device's registers (MMIO): a hole in the memory that devices can be given.
    public static func device(_ name: String, byteCount: ByteCount) -> MemoryRegion {
        MemoryRegion(name: name, byteCount: byteCount, kind: .device)
    }

    /// A window of `byteCount` bytes into `target`, from `offset` on; read-only even over writable memory
    /// where `isReadOnly` says so. What lies past the target's end is a hole.
    public static func alias(
        _ name: String, of target: MemoryRegion, offset: ByteCount = .zero, byteCount: ByteCount?,
        isReadOnly: Bool = false
    ) -> MemoryRegion {
        MemoryRegion(
            name: name, byteCount: byteCount, isReadOnly: isReadOnly,
            kind: .alias(target, offset: offset.rawValue)
        )
    }

    /// Whether `other` is this region or can be reached from it through subregions and aliases.
    func reaches(_ other: MemoryRegion) -> Bool {
        if self === other { return true }
        if case .alias(let target, _) = kind, target.reaches(other) { return true }
        return subregions.contains { $0.region.reaches(other) }
    }
}
