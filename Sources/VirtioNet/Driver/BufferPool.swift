internal import GuestMemory

/// The frame buffers of a driver: up to two slabs of guest memory with a free list each.
///
/// Buffers are taken from the current slab and go back to their own, so that a slab that is no longer current
/// empties by itself as the device returns its buffers; then its memory can be unplugged. Nothing allocates
/// once a slab is set up.
struct BufferPool: ~Copyable {
    /// One buffer: its slab in the highest bit, its number in the others.
    struct Token: BitwiseCopyable {
        let rawValue: UInt32

        @inline(__always)
        init(rawValue: UInt32) { self.rawValue = rawValue }

        @inline(__always)
        init(isSecond: Bool, index: UInt32) { rawValue = isSecond ? index | 1 << 31 : index }

        @inline(__always)
        var isSecond: Bool { rawValue >> 31 == 1 }

        @inline(__always)
        var index: Int { Int(rawValue & ~(1 << 31)) }
    }

    private var first: Slab
    /// Without buffers while there is no second block.
    private var second = Slab(nil)
    private(set) var isSecondCurrent = false
    /// A buffer's length in bytes, the same in both slabs.
    let stride: Int

    init(_ buffers: DriverBuffers) {
        stride = buffers.stride
        first = Slab(buffers)
    }

    /// Takes buffers from `buffers` from now on. There must be no second slab yet.
    mutating func useSecond(_ buffers: DriverBuffers) {
        precondition(second.isWhole, "a pool has two slabs at the most")
        precondition(buffers.stride == stride, "a pool's buffers are of one length")
        second = Slab(buffers)
        isSecondCurrent = true
    }

    /// Takes buffers from the first slab again; the second one empties as its buffers come back.
    mutating func useFirst() { isSecondCurrent = false }

    /// Lets go of the second slab, if no buffer of it is out. `false` where one is, or new ones are taken from it.
    mutating func dropSecond() -> Bool {
        guard !isSecondCurrent, second.isWhole else { return false }
        second = Slab(nil)
        return true
    }

    /// A free buffer of the current slab.
    @inline(__always)
    mutating func take() -> Token? {
        guard let index = isSecondCurrent ? second.take() : first.take() else { return nil }
        return Token(isSecond: isSecondCurrent, index: index)
    }

    /// Makes a buffer free again.
    @inline(__always)
    mutating func put(_ token: Token) {
        if token.isSecond { second.put(token.index) } else { first.put(token.index) }
    }

    /// Where the device finds a buffer.
    @inline(__always)
    func address(_ token: Token) -> IOVirtualAddress {
        token.isSecond ? second.address(token.index) : first.address(token.index)
    }

    /// Where the driver finds it: ``stride`` bytes.
    @inline(__always)
    func bytes(_ token: Token) -> UnsafeMutableRawBufferPointer {
        unsafe token.isSecond ? second.bytes(token.index) : first.bytes(token.index)
    }

    /// The number of the frame that a transmit buffer carries, as the generator noted it.
    @inline(__always)
    func sequence(_ token: Token) -> UInt64 {
        token.isSecond ? second.sequence(token.index) : first.sequence(token.index)
    }

    /// Notes the number of the frame in a transmit buffer.
    @inline(__always)
    mutating func setSequence(_ sequence: UInt64, _ token: Token) {
        if token.isSecond {
            second.setSequence(sequence, token.index)
        } else {
            first.setSequence(sequence, token.index)
        }
    }
}
