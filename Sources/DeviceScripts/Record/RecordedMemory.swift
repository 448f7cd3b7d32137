internal import GuestMemory

/// The names of the memory that recorded calls speak of, and the lines that make it.
///
/// Memory is a whole area of the process's, as guest RAM is one, with what a range of it does not permit. It is looked at
/// anew for each call: the same addresses may be other memory by now, which then is another name.
struct RecordedMemory {
    private struct Named {
        let name: ScriptName
        let range: Range<UInt64>
        let parts: [ProcessArea]
    }

    private let areas: (Range<UInt64>) -> [ProcessArea]
    private var named: [Named] = []
    private var hole: ScriptName?

    /// `areas` gives what of the process has an address of a range.
    init(areas: @escaping (Range<UInt64>) -> [ProcessArea]) { self.areas = areas }

    /// No process has anything below (vm.mmap_min_addr) or above (the end of 47 bits): the number says so everywhere.
    private static let possible: Range<UInt64> = 0x1_0000..<1 << 47
    /// As far as a range is looked at: no machine has more memory, and none is refused for what lies behind.
    private static let farthest: UInt64 = 1 << 44

    /// What `address` is called where `byteCount` bytes from there on matter, and what makes the memory unless an earlier
    /// line has.
    mutating func pointer(to address: UInt64, byteCount: UInt64) -> (ScriptPointer, making: [ScriptStep]) {
        guard Self.possible.contains(address) else {
            return (.number(HostAddress(rawValue: address)), [])
        }
        let page = UInt64(ScriptMemory.pageByteCount)
        let start = address / page * page
        let end = min(address + min(max(byteCount, 1), Self.farthest) - 1, Self.possible.upperBound - 1)
        let range = start..<(end / page + 1) * page
        let found = areas(range)
        let parts = found.clipped(to: range)
        guard let first = found.first, let last = found.last else { return inHole(address - start, page) }
        if let known = named.last(where: {
            $0.range.contains(start) && $0.parts.clipped(to: range) == parts
        }) {
            return (.memory(known.name, offset: address - known.range.lowerBound), [])
        }
        let whole = min(first.range.lowerBound, start)..<last.range.upperBound
        let isHuge = whole.upperBound - whole.lowerBound > Self.farthest
        let taken = isHuge ? start..<min(last.range.upperBound, range.upperBound) : whole
        let new = Named(
            name: Self.name("m\(named.count + 1)"), range: taken, parts: found.clipped(to: taken))
        named.append(new)
        return (.memory(new.name, offset: address - taken.lowerBound), Self.steps(making: new))
    }

    /// Where nothing is mapped: memory that is none, since another process may have something at the address.
    private mutating func inHole(_ offset: UInt64, _ page: UInt64) -> (ScriptPointer, making: [ScriptStep]) {
        if let hole { return (.memory(hole, offset: offset), []) }
        let name = Self.name("hole")
        hole = name
        return (
            .memory(name, offset: offset),
            [
                .memory(name, byteCount: ByteCount(rawValue: page), .shared),
                .unmap(name, offset: 0, byteCount: ByteCount(rawValue: page)),
            ]
        )
    }

    private static func steps(making memory: Named) -> [ScriptStep] {
        let isShared = memory.parts.first?.isShared ?? true
        let isReadOnly = isShared && memory.parts.allSatisfy { $0.protection == .read }
        let start = memory.range.lowerBound
        func count(_ range: Range<UInt64>) -> ByteCount {
            ByteCount(rawValue: range.upperBound - range.lowerBound)
        }
        var steps: [ScriptStep] = [
            .memory(
                memory.name, byteCount: count(memory.range),
                isReadOnly ? .readOnly : isShared ? .shared : .private)
        ]
        var next = start
        for part in memory.parts {
            if part.range.lowerBound > next {
                let gap = next..<part.range.lowerBound
                steps.append(.unmap(memory.name, offset: next - start, byteCount: count(gap)))
            }
            if part.protection != (isReadOnly ? .read : .write) {
                steps.append(
                    .protect(
                        memory.name, offset: part.range.lowerBound - start, byteCount: count(part.range),
                        part.protection))
            }
            next = part.range.upperBound
        }
        return steps
    }

    private static func name(_ text: String) -> ScriptName { ScriptName(stringLiteral: text) }
}
