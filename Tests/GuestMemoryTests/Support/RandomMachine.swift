import SeededRandom
import Testing

@testable import GuestMemory

/// An address space of 64 pages and its model, changed together at random.
final class RandomMachine {
    static let pages = 64

    let space = AddressSpace(name: "random")
    let root: ModelRegion
    private(set) var placed: [ModelRegion] = []
    private var spare: [ModelRegion] = []
    private var random: SplitMix64

    init(seed: Int) throws {
        random = SplitMix64(seed: seed)
        root = ModelRegion(space.root, pages: .max, isContainer: true)
        placed = [root]
        for number in 0..<14 { spare.append(try makeRegion(number)) }
    }

    private func makeRegion(_ number: Int) throws -> ModelRegion {
        let pages = Int.random(in: 1...24, using: &random)
        let size = ByteCount.pages(pages)
        switch number % 7 {
        case 0, 1:
            let block = try RAMBlock.allocate(name: "ram\(number)", byteCount: size)
            return ModelRegion(.ram(block), pages: pages, isMemory: true)
        case 2:
            let block = try RAMBlock.allocate(name: "rom\(number)", byteCount: size)
            return ModelRegion(.rom(block), pages: pages, isMemory: true, isReadOnly: true)
        case 3:
            return ModelRegion(.device("device\(number)", byteCount: size), pages: pages)
        case 4:
            return ModelRegion(.container("box\(number)", byteCount: size), pages: pages, isContainer: true)
        default:
            let target = try #require(spare.randomElement(using: &random))
            let offset = Int.random(in: 0..<target.pages, using: &random)
            let isReadOnly = random.chance(oneIn: 4)
            return ModelRegion(
                .alias(
                    "alias\(number)", of: target.region, offset: .pages(offset), byteCount: size,
                    isReadOnly: isReadOnly
                ), pages: pages, isReadOnly: isReadOnly, alias: (target, offset)
            )
        }
    }

    /// Changes something in the space and its model, or finds nothing to change; returns how to undo the
    /// model's part, which a refused transaction calls for.
    func change() throws(GuestMemoryError) -> () -> Void {
        let before = (placed: placed, spare: spare)
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<4:
            guard !spare.isEmpty,
                let parent = placed.filter({ $0.alias == nil }).randomElement(using: &random)
            else { return {} }
            let child = spare.remove(at: Int.random(in: spare.indices, using: &random))
            guard !child.region.reaches(parent.region) else {
                spare.append(child)
                return {}
            }
            let offset = Int.random(in: 0..<Self.pages - 8, using: &random) / (parent === root ? 1 : 4)
            let priority = Int.random(in: -1...1, using: &random)
            try space.add(child.region, to: parent.region, at: .page(offset), priority: priority)
            parent.children.append((child, offset, priority))
            placed.append(child)
            return { [self] in
                parent.children.removeLast()
                (placed, spare) = before
            }
        case 4..<6:
            guard let child = placed.dropFirst().randomElement(using: &random),
                let parent = placed.first(where: { $0.children.contains { $0.model === child } })
            else { return {} }
            try space.remove(child.region)
            let children = parent.children
            parent.children.removeAll { $0.model === child }
            placed.removeAll { $0 === child }
            // What is within it stays within it, out of sight until it is added again.
            spare.append(child)
            return { [self] in
                parent.children = children
                (placed, spare) = before
            }
        case 6:
            guard let region = placed.dropFirst().randomElement(using: &random) else { return {} }
            try space.setEnabled(!region.isEnabled, for: region.region)
            region.isEnabled.toggle()
            return { region.isEnabled.toggle() }
        default:
            guard let region = placed.dropFirst().randomElement(using: &random) else { return {} }
            try space.setReadOnly(!region.isReadOnly, for: region.region)
            region.isReadOnly.toggle()
            return { region.isReadOnly.toggle() }
        }
    }

    func chance(oneIn odds: Int) -> Bool { random.chance(oneIn: odds) }

    func count(upTo most: Int) -> Int { Int.random(in: 1...most, using: &random) }

    /// Holds the space's flat view against the model, page by page.
    func check() {
        let view = space.view
        for page in 0..<Self.pages + 8 {
            let section = view.section(containing: .page(page))
            let shown = section.map { section in
                ModelRegion.Answer(
                    name: section.regionName,
                    offset: Int(section.regionOffset.rawValue >> 12) + page
                        - Int(section.range.first.rawValue >> 12),
                    isReadOnly: section.isReadOnly, isMemory: section.backing != .device
                )
            }
            #expect(shown == root.answer(at: page), "page \(page)")
        }
        for (section, next) in zip(view.sections, view.sections.dropFirst()) {
            #expect(section.range.last < next.range.first)
            #expect(!section.isContinued(by: next), "\(section) and \(next) are one section")
        }
    }
}

extension MemorySection {
    /// Whether `next` is more of the same: what a flat view must have merged.
    fileprivate func isContinued(by next: MemorySection) -> Bool {
        range.last.advanced(by: ByteCount(1)) == next.range.first && regionName == next.regionName
            && isReadOnly == next.isReadOnly
            && regionOffset.rawValue + (range.byteCount?.rawValue ?? 0) == next.regionOffset.rawValue
    }
}
