import GuestMemory
import Testing

struct AddressRangeTests {
    @Test("A range includes both its ends, up to the last byte of the 64-bit space")
    func ends() throws {
        let whole = try guest(0, .max)
        #expect(whole.byteCount == nil)
        #expect(whole.contains(GuestPhysicalAddress(rawValue: .max)))
        let lastByte = try #require(
            AddressRange(first: GuestPhysicalAddress(rawValue: .max), byteCount: ByteCount(1))
        )
        #expect(lastByte.first == lastByte.last)
        #expect(whole.contains(lastByte))
    }

    @Test("An empty or wrapping range is none")
    func refused() {
        let top = GuestPhysicalAddress(rawValue: .max)
        #expect(AddressRange(first: top, byteCount: .zero) == nil)
        #expect(AddressRange(first: top, byteCount: ByteCount(2)) == nil)
        #expect(AddressRange(first: top, last: GuestPhysicalAddress(rawValue: 0)) == nil)
    }

    @Test(
        "Ranges overlap where they share a byte, and their intersection is what they share",
        arguments: [(0, 9, nil), (0, 10, 10), (15, 15, 15), (20, 30, 20), (21, 30, nil)]
            as [(UInt64, UInt64, UInt64?)]
    )
    func overlap(first: UInt64, last: UInt64, shared: UInt64?) throws {
        let range = try guest(10, 20)
        let other = try guest(first, last)
        #expect(range.overlaps(other) == (shared != nil))
        #expect(other.overlaps(range) == (shared != nil))
        #expect(range.intersection(other)?.first.rawValue == shared)
    }

    @Test(
        "Rounding up goes to the next multiple, or nowhere past the top",
        arguments: [(0, 0), (1, 4096), (4096, 4096), (4097, 8192), (.max - 4095, .max - 4095), (.max, nil)]
            as [(UInt64, UInt64?)]
    )
    func alignment(address: UInt64, up: UInt64?) {
        let address = GuestPhysicalAddress(rawValue: address)
        #expect(address.alignedUp(to: .kibibytes(4))?.rawValue == up)
        #expect(address.isAligned(to: .kibibytes(4)) == (address.rawValue == up))
    }
}
