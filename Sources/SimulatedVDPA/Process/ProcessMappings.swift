package import SystemPackage

/// The virtual memory areas of this process at one moment, lowest first: what the kernel walks with `find_vma`.
package struct ProcessMappings: Sendable {
    /// Where the areas come from: the process, or a test's own list.
    package typealias Source = @Sendable () throws(Errno) -> ProcessMappings

    package let areas: [ProcessMapping]

    /// Takes `areas`, lowest first and without overlap.
    package init(areas: [ProcessMapping]) { self.areas = areas }

    /// Reads `/proc/self/maps`. Takes time in proportion to the number of areas: once per message, never per
    /// packet.
    package static func current() throws(Errno) -> ProcessMappings {
        ProcessMappings(areas: ProcessMapping.parse(try contents(of: "/proc/self/maps")))
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
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = try unsafe chunk.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                    guard count > 0 else { break }
                    bytes.append(contentsOf: chunk.prefix(count))
                }
                return bytes
            }
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }
}
