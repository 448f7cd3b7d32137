/// The checksum of a generated frame: four accumulators that take a word each in turn, so that a processor
/// overlaps their multiplications, folded into one at the end.
package enum FrameChecksum {
    /// An odd number without a pattern: multiplying by it permutes the 64-bit words.
    @inlinable package static var factor: UInt64 { 0x9fb2_1c65_1e98_df25 }

    @inlinable
    @inline(__always)
    package static func mix(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (sum ^ word) &* factor
        return mixed << 27 | mixed >> 37
    }

    /// The sum of `length` bytes at `base` without the eight at 32.
    ///
    /// - Precondition: at least 60 bytes are there.
    @inlinable
    package static func of(_ base: UnsafeRawPointer, length: Int) -> UInt64 {
        var a = mix(UInt64(truncatingIfNeeded: length), unsafe base.loadWord(at: 0))
        var b = mix(1, unsafe base.loadWord(at: 8))
        var c = mix(2, unsafe base.loadWord(at: 16))
        var d = mix(3, unsafe base.loadWord(at: 24))
        var offset = GeneratedFrame.payloadOffset
        let blocks = length &- 32
        let words = length &- 8
        while offset <= blocks {
            a = mix(a, unsafe base.loadWord(at: offset))
            b = mix(b, unsafe base.loadWord(at: offset &+ 8))
            c = mix(c, unsafe base.loadWord(at: offset &+ 16))
            d = mix(d, unsafe base.loadWord(at: offset &+ 24))
            offset &+= 32
        }
        while offset <= words {
            a = mix(a, unsafe base.loadWord(at: offset))
            offset &+= 8
        }
        if length & 7 != 0 { b = mix(b, unsafe tail(base, offset: offset, length: length)) }
        let sum = mix(mix(mix(a, b), c), d)
        return (sum ^ sum >> 31) &* factor
    }

    /// The one to seven bytes behind the last whole word, as a word.
    @inlinable
    static func tail(_ base: UnsafeRawPointer, offset: Int, length: Int) -> UInt64 {
        var offset = offset
        var word: UInt64 = 0
        if length & 4 != 0 {
            let piece = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            word = UInt64(UInt32(littleEndian: piece))
            offset &+= 4
        }
        if length & 2 != 0 {
            let piece = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            word = word << 16 | UInt64(UInt16(littleEndian: piece))
            offset &+= 2
        }
        if length & 1 != 0 {
            word = word << 8 | UInt64(unsafe base.load(fromByteOffset: offset, as: UInt8.self))
        }
        return word
    }
}
