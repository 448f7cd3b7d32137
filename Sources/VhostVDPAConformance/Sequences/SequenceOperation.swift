internal import SeededRandom

/// One step of a random sequence. Addresses are numbers of pages, so that sequences read short and collide often.
package enum SequenceOperation: Hashable, Sendable {
    /// Which memory of the process an update names.
    package enum Memory: UInt8, CaseIterable, Sendable {
        case shared, privateAnonymous, readOnly
    }

    case update(space: UInt32, page: UInt64, count: UInt64, offset: UInt64, access: UInt8, memory: Memory)
    case invalidate(space: UInt32, page: UInt64, count: UInt64)
    case invalidateEverything(space: UInt32)
    case beginBatch(space: UInt32)
    case endBatch(space: UInt32)
    /// SET_BACKEND_FEATURES.
    case acknowledge(persist: Bool, addressSpaces: Bool)
    /// SET_STATUS 0.
    case reset
    /// SET_STATUS up to DRIVER_OK.
    case start
    case suspend
    /// SET_GROUP_ASID of the first group.
    case setGroup(space: UInt32)
    /// The file is closed, opened and owned again.
    case reopen

    /// The pages that updates and invalidates lie in, and the pages of each kind of memory.
    static let pageCount: UInt64 = 12
    static let memoryPages = 8

    /// A random step; what changes maps comes more often than what ends everything.
    private static func random(using generator: inout SplitMix64) -> SequenceOperation {
        // Space 2 does not exist: it is refused, or ignored where spaces are not acknowledged.
        let space: UInt32 = [0, 0, 0, 0, 0, 1, 1, 2][generator.below(8)]
        let page = UInt64(generator.below(Int(pageCount)))
        let count = UInt64(1 + generator.below(3))
        switch generator.below(40) {
        case 0..<17:
            return .update(
                space: space, page: page, count: count,
                offset: UInt64(generator.below(memoryPages - 3)), access: UInt8(1 + generator.below(3)),
                memory: generator.below(8) > 1
                    ? .shared : generator.below(2) == 0 ? .readOnly : .privateAnonymous)
        case 17..<24: return .invalidate(space: space, page: page, count: count)
        case 24: return .invalidateEverything(space: space)
        case 25..<28: return .beginBatch(space: space)
        case 28..<31: return .endBatch(space: space)
        case 31..<34:
            return .acknowledge(persist: generator.below(2) == 0, addressSpaces: generator.below(2) == 0)
        case 34..<36: return .reset
        case 36: return .start
        case 37: return .suspend
        case 38: return .setGroup(space: space)
        default: return .reopen
        }
    }

    /// The `length` steps of a seed: always the same.
    package static func sequence(seed: UInt64, length: Int) -> [SequenceOperation] {
        var generator = SplitMix64(seed: seed)
        return (0..<length).map { _ in random(using: &generator) }
    }
}

extension SplitMix64 {
    /// A number from 0 on below `bound`; the bounds here are far too small for the bias to matter. The seeds that users
    /// have noted hang on it.
    fileprivate mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
}

extension SequenceOperation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .update(let space, let page, let count, let offset, let access, let memory):
            "UPDATE space \(space) pages \(page)..<\(page + count) to \(memory) page \(offset), access \(access)"
        case .invalidate(let space, let page, let count):
            "INVALIDATE space \(space) pages \(page)..<\(page + count)"
        case .invalidateEverything(let space): "INVALIDATE(0, 0) space \(space)"
        case .beginBatch(let space): "BATCH_BEGIN space \(space)"
        case .endBatch(let space): "BATCH_END space \(space)"
        case .acknowledge(let persist, let addressSpaces):
            "SET_BACKEND_FEATURES IOTLB_PERSIST \(persist ? 1 : 0) IOTLB_ASID \(addressSpaces ? 1 : 0)"
        case .reset: "SET_STATUS 0"
        case .start: "SET_STATUS 0xf"
        case .suspend: "SUSPEND"
        case .setGroup(let space): "SET_GROUP_ASID 0 \(space)"
        case .reopen: "close, open, SET_OWNER"
        }
    }
}
