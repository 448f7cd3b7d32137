import GuestMemory

/// A memory listener that says what it hears, as one that feeds another IOMMU or a dirty bitmap would start.
final class PrintingListener: MemoryListener {
    private var lines: [String] = []

    func begin() { lines = [] }
    func remove(_ section: MemorySection) { lines.append("- \(section.range) \(section.regionName)") }
    func add(_ section: MemorySection) { lines.append("+ \(section.range) \(section.regionName)") }
    func keep(_ section: MemorySection) {}
    func commit() throws(MemoryListenerError) { for line in lines { print("heard  \(line)") } }
}
