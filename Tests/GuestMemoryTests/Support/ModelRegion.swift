import Testing

@testable import GuestMemory

/// A plain, independent model of a region tree: it answers for one address at a time by walking down from
/// the top, and knows nothing of ranges, clipping or sorting. Offsets and sizes are in pages of 4 KiB.
final class ModelRegion {
    /// What shows at one page.
    struct Answer: Equatable {
        var name: String
        var offset: Int
        var isReadOnly: Bool
        var isMemory: Bool
    }

    let region: MemoryRegion
    let pages: Int
    let alias: (target: ModelRegion, offset: Int)?
    let isMemory: Bool
    let isContainer: Bool
    var isEnabled = true
    var isReadOnly: Bool
    /// In the order they were added.
    var children: [(model: ModelRegion, offset: Int, priority: Int)] = []

    init(
        _ region: MemoryRegion, pages: Int, isMemory: Bool = false, isContainer: Bool = false,
        isReadOnly: Bool = false, alias: (target: ModelRegion, offset: Int)? = nil
    ) {
        self.region = region
        self.pages = pages
        self.isMemory = isMemory
        self.isContainer = isContainer
        self.isReadOnly = isReadOnly
        self.alias = alias
    }

    func answer(at page: Int, isReadOnly outer: Bool = false) -> Answer? {
        guard isEnabled, page >= 0, page < pages else { return nil }
        let isReadOnly = outer || isReadOnly
        if let alias { return alias.target.answer(at: page + alias.offset, isReadOnly: isReadOnly) }
        var best: (answer: Answer, priority: Int)?
        for child in children {
            guard child.priority >= best?.priority ?? .min,
                let answer = child.model.answer(at: page - child.offset, isReadOnly: isReadOnly)
            else { continue }
            best = (answer, child.priority)
        }
        if let best { return best.answer }
        guard !isContainer else { return nil }
        return Answer(name: region.name, offset: page, isReadOnly: isReadOnly, isMemory: isMemory)
    }
}
