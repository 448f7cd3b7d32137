import Testing

@testable import GuestMemory

struct TopologyTests {
    private let space = AddressSpace(name: "test")

    private func device(_ name: String, pages: Int = 1) -> MemoryRegion {
        .device(name, byteCount: .pages(pages))
    }

    private func expectRefusal(_ parts: String..., of change: () throws -> Void) throws {
        let error = #expect(throws: GuestMemoryError.self, performing: change)
        #expect(error?.code == .invalidTopology)
        let text = try #require(error?.description)
        for part in parts { #expect(text.contains(part), "\(text) lacks \(part)") }
    }

    @Test("Regions without a priority must not overlap; the refusal names both")
    func overlap() throws {
        try space.add(device("first", pages: 4), at: .page(4))
        for page in [1, 4, 7] {
            try expectRefusal("second", "first", "0x4000") {
                try space.add(device("second", pages: 4), at: .page(page))
            }
        }
        try space.add(device("below", pages: 4), at: .page(0))
        try space.add(device("above", pages: 4), at: .page(8))
        try space.add(device("over", pages: 4), at: .page(2), priority: 1)
        #expect(space.view.sections.map(\.regionName) == ["below", "over", "first", "above"])
    }

    @Test("A region is in one place at a time, and can go elsewhere once removed")
    func onePlace() throws {
        let region = device("region")
        try space.add(region, at: .page(0))
        try expectRefusal("region", "remove it there first") { try space.add(region, at: .page(5)) }
        try space.remove(region)
        try expectRefusal("region") { try space.remove(region) }
        try space.add(region, at: .page(5))
        #expect(space.view.sections.map(\.range.first) == [.page(5)])
    }

    @Test("A region cannot contain itself, directly, through others or through an alias")
    func cycles() throws {
        let outer = MemoryRegion.container("outer")
        let inner = MemoryRegion.container("inner")
        try space.add(inner, to: outer, at: .page(0))
        try expectRefusal("contain itself") { try space.add(outer, to: outer, at: .page(0)) }
        try expectRefusal("contain itself") { try space.add(outer, to: inner, at: .page(0)) }
        let window = MemoryRegion.alias("window", of: outer, byteCount: .pages(1))
        try expectRefusal("contain itself") { try space.add(window, to: inner, at: .page(0)) }
        let rootWindow = MemoryRegion.alias("rootWindow", of: space.root, byteCount: .pages(1))
        try expectRefusal("contain itself") { try space.add(rootWindow, at: .page(0)) }
        try expectRefusal("alias") { try space.add(device("device"), to: window, at: .page(0)) }
    }

    @Test("An empty region is refused")
    func empty() throws {
        try expectRefusal("empty") { try space.add(device("nothing", pages: 0), at: .page(0)) }
    }
}
