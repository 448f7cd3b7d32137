internal import CLinux
package import SystemPackage

/// The virtual memory areas of a process at one moment, lowest first: what the kernel walks with `find_vma`.
package struct ProcessMappings: Sendable {
    /// Where the areas come from: the process, or a test's own list. At least those that have an address of the
    /// range, and the next one above it.
    package typealias Source = @Sendable (Range<UInt64>) throws(Errno) -> ProcessMappings

    private static let own: FilePath = "/proc/self/maps"

    package let areas: [ProcessMapping]

    /// Takes `areas`, lowest first and without overlap.
    package init(areas: [ProcessMapping]) { self.areas = areas }

    /// The areas of `range` and the next one above it, as they are now: once per message, never per packet.
    ///
    /// The kernel is asked for each area; one before Linux 6.11 cannot be, and every area is read.
    package static func current(_ range: Range<UInt64>) throws(Errno) -> ProcessMappings {
        try current(range, in: own)
    }

    /// The same of the process whose file of `/proc` is `maps`.
    static func current(_ range: Range<UInt64>, in maps: FilePath) throws(Errno) -> ProcessMappings {
        if let mappings = try queried(range, in: maps) { return mappings }
        return try read(maps)
    }

    /// Every area, out of `/proc/self/maps`. Takes time in proportion to their number.
    package static func read() throws(Errno) -> ProcessMappings { try read(own) }

    private static func read(_ maps: FilePath) throws(Errno) -> ProcessMappings {
        let areas = ProcessMapping.parse(try contents(of: maps))
        // The page of vsyscalls is listed, and is no area that find_vma would find.
        return ProcessMappings(areas: areas.filter { $0.start < 1 << 63 })
    }

    /// The areas of `range` and the next one above it, each asked for by its address; `nil` where the kernel has no
    /// such request.
    package static func queried(_ range: Range<UInt64>) throws(Errno) -> ProcessMappings? {
        try queried(range, in: own)
    }

    private static func queried(_ range: Range<UInt64>, in file: FilePath) throws(Errno) -> ProcessMappings? {
        let maps: FileDescriptor
        do {
            maps = try FileDescriptor.open(
                file, .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        } catch {
            throw SimulationFailure.note(
                "open of a process's maps", error as? Errno ?? .ioError, mayHaveEnded: file != own)
        }
        defer { try? maps.close() }
        var areas: [ProcessMapping] = []
        var next = range.lowerBound
        var area = clinux_memory_area()
        repeat {
            let result = unsafe clinux_memory_area_from(maps.rawValue, next, &area)
            if result == -Errno.noSuchFileOrDirectory.rawValue { break }
            guard result == 0 else { return nil }
            areas.append(ProcessMapping(area))
            next = area.end
        } while next < range.upperBound
        return ProcessMappings(areas: areas)
    }

    /// The first area that ends above `address`, as the kernel's `find_vma`: it may start above it, too.
    package func firstArea(endingAbove address: UInt64) -> ProcessMapping? {
        var low = 0
        var high = areas.count
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        return low < areas.count ? areas[low] : nil
    }

    /// Whether every byte from `start` up to but not including `end` satisfies `condition`.
    package func covers(from start: UInt64, upTo end: UInt64, where condition: (ProcessMapping) -> Bool)
        -> Bool
    {
        var next = start
        while next < end {
            guard let area = firstArea(endingAbove: next), area.start <= next, condition(area) else {
                return false
            }
            next = area.end
        }
        return true
    }

    /// The whole of a file of `/proc`, which has no size to ask for.
    static func contents(of path: FilePath) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(
                path, .readOnly, options: .closeOnExec, retryOnInterrupt: false)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = try unsafe chunk.withUnsafeMutableBytes {
                        try unsafe file.read(into: $0, retryOnInterrupt: false)
                    }
                    guard count > 0 else { break }
                    bytes.append(contentsOf: chunk.prefix(count))
                }
                return bytes
            }
        } catch {
            throw SimulationFailure.note(
                "read of a file of /proc", error as? Errno ?? .ioError,
                mayHaveEnded: !path.starts(with: "/proc/self"))
        }
    }
}

extension ProcessMapping {
    fileprivate init(_ area: clinux_memory_area) {
        self.init(
            start: area.start, end: area.end, isReadable: area.flags & clinux_memory_area_readable != 0,
            isWritable: area.flags & clinux_memory_area_writable != 0,
            isShared: area.flags & clinux_memory_area_shared != 0,
            file: area.inode == 0
                ? nil
                : File(
                    device: UInt64(area.device_major) << 32 | UInt64(area.device_minor), inode: area.inode,
                    offset: area.offset))
    }
}
