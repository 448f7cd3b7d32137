package import Virtio

/// Writes and checks the generator's frames: numbered, checksummed Ethernet frames of one run.
///
/// Byte offsets in the frame, numbers after the Ethernet header little endian:
/// destination 0, source 6, ethertype 12 (0x88b5, IEEE 802 local experimental 1), magic 14 (u16), run 16 (u32),
/// length 20 (u32: of the whole frame), sequence 24 (u64), checksum 32 (u64), payload from 40. The payload's
/// eight-byte words follow from the sequence, so that stale memory shows.
///
/// The checksum covers every byte but its own. Every step is a bijection of the word it takes in, so a change
/// within one aligned eight-byte word is always found, and any other with a chance of about 1 − 2⁻⁶⁴. Not
/// cryptographic. Either direction costs about 10 ns at 64 bytes and 0.1 to 0.15 ns per further byte on a
/// shared virtual processor. Trivial: nothing on the heap.
package struct GeneratedFrame: Sendable {
    /// Destination, source, ethertype, magic, run and length as the first three words in memory.
    @usableFromInline let word0: UInt64
    @usableFromInline let word1: UInt64
    @usableFromInline let run: UInt32

    /// The shortest frame: Ethernet's minimum without its check sequence.
    @inlinable package static var minimumLength: Int { 60 }
    /// The longest frame.
    @inlinable package static var maximumLength: Int { 65_535 }
    /// IEEE 802 local experimental ethertype 1.
    @inlinable package static var ethertype: UInt16 { 0x88b5 }
    @inlinable package static var magic: UInt16 { 0x7675 }
    @inlinable package static var checksumOffset: Int { 32 }
    @inlinable package static var payloadOffset: Int { 40 }

    /// Frames of one run.
    ///
    /// - Parameters:
    ///   - destination: the device's own address, so that a loop or a bridge hands the frame back.
    ///   - source: any other.
    ///   - run: tells this run's frames from those of an earlier one.
    package init(destination: MACAddress, source: MACAddress, run: UInt32) {
        let bytes =
            destination.octets + source.octets
            + [UInt8(GeneratedFrame.ethertype >> 8), UInt8(GeneratedFrame.ethertype & 0xff)]
            + [UInt8(GeneratedFrame.magic & 0xff), UInt8(GeneratedFrame.magic >> 8)]
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        word0 = word(bytes[0..<8])
        word1 = word(bytes[8..<16])
        self.run = run
    }

    @inlinable
    func word2(_ length: Int) -> UInt64 { UInt64(run) | UInt64(UInt32(truncatingIfNeeded: length)) << 32 }

    /// Fills `frame` with the frame of `sequence`: as long as the buffer.
    ///
    /// - Precondition: the buffer holds ``minimumLength`` to ``maximumLength`` bytes.
    @inlinable
    package func write(into frame: UnsafeMutableRawBufferPointer, sequence: UInt64) {
        precondition(
            frame.count >= GeneratedFrame.minimumLength && frame.count <= GeneratedFrame.maximumLength,
            "a generated frame has 60 to 65535 bytes")
        guard let base = frame.baseAddress else { return }
        let length = frame.count
        unsafe base.storeWord(word0, at: 0)
        unsafe base.storeWord(word1, at: 8)
        unsafe base.storeWord(word2(length), at: 16)
        unsafe base.storeWord(sequence, at: 24)
        var filler = FramePattern(sequence)
        var offset = GeneratedFrame.payloadOffset
        let end = length &- 8
        while offset <= end {
            unsafe base.storeWord(filler.next(), at: offset)
            offset &+= 8
        }
        // The last bytes in pieces that the checksum reads as they were stored: other pieces would stall it.
        var rest = filler.next()
        if length & 4 != 0 {
            let piece = UInt32(truncatingIfNeeded: rest).littleEndian
            unsafe base.storeBytes(of: piece, toByteOffset: offset, as: UInt32.self)
            rest >>= 32
            offset &+= 4
        }
        if length & 2 != 0 {
            let piece = UInt16(truncatingIfNeeded: rest).littleEndian
            unsafe base.storeBytes(of: piece, toByteOffset: offset, as: UInt16.self)
            rest >>= 16
            offset &+= 2
        }
        if length & 1 != 0 {
            unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
        }
        unsafe base.storeWord(
            FrameChecksum.of(UnsafeRawPointer(base), length: length), at: GeneratedFrame.checksumOffset)
    }

    /// Says what `frame` is. Reads nothing outside it, whatever it holds.
    @inlinable
    package func verify(_ frame: UnsafeRawBufferPointer) -> FrameVerdict {
        guard let base = frame.baseAddress, frame.count >= 16 else { return .foreign }
        let length = frame.count
        let second = unsafe base.loadWord(at: 8)
        let marked = second >> 32 == word1 >> 32
        guard marked, length >= GeneratedFrame.minimumLength, length <= GeneratedFrame.maximumLength,
            unsafe base.loadWord(at: GeneratedFrame.checksumOffset) == FrameChecksum.of(base, length: length)
        else {
            return suspect(second, isMarked: marked)
        }
        let third = unsafe base.loadWord(at: 16)
        guard UInt32(truncatingIfNeeded: third >> 32) == UInt32(length) else { return .corrupted }
        let isOurs = unsafe base.loadWord(at: 0) == word0 && second == word1
        guard isOurs, UInt32(truncatingIfNeeded: third) == run else { return .foreign }
        return .intact(sequence: unsafe base.loadWord(at: 24))
    }

    /// A frame that does not check: ours where it carries our ethertype or our magic.
    @inlinable
    func suspect(_ second: UInt64, isMarked: Bool) -> FrameVerdict {
        let differing = (second ^ word1) >> 32
        return isMarked || differing & 0xffff == 0 || differing >> 16 == 0 ? .corrupted : .foreign
    }
}

extension UnsafeRawPointer {
    @inlinable
    func loadWord(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension UnsafeMutableRawPointer {
    @inlinable
    func storeWord(_ word: UInt64, at offset: Int) {
        unsafe storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    }
}
