/// The payload's words of one frame: an arithmetic walk whose start and step depend on the sequence.
package struct FramePattern {
    @usableFromInline var word: UInt64
    @usableFromInline let step: UInt64

    @inlinable
    package init(_ sequence: UInt64) {
        let seed = (sequence &+ 1) &* 0xd1b5_4a32_d192_ed03
        word = seed ^ seed >> 29
        step = word | 1
    }

    @inlinable
    package mutating func next() -> UInt64 {
        word &+= step
        return word
    }
}
