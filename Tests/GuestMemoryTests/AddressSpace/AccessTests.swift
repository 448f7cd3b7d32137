import GuestMemory
import Testing

@Suite("Reading and writing guest memory")
struct AccessTests {
    private let machine: PCMemoryLayout

    init() throws { machine = try PCMemoryLayout(memory: .mebibytes(4)) }

    private var memory: AddressSpace { machine.addressSpace }

    private func code(_ body: () throws -> Void) -> GuestMemoryError.Code? {
        do { try body() } catch { return (error as? GuestMemoryError)?.code }
        return nil
    }

    @Test("What is written is read, at the same place in the host")
    func roundTrip() throws {
        try memory.write([1, 2, 3], at: 0x10_0ffe)
        #expect(try memory.read(5, at: 0x10_0ffd) == [0, 1, 2, 3, 0])
        let range = try #require(
            AddressRange<GuestPhysicalAddress>(first: 0x10_0ffe, byteCount: ByteCount(3)))
        #expect(memory.view.hostRange(of: range, access: .read) != nil)
        #expect(try memory.read(0, at: 0xdead_0000_0000).isEmpty)
    }

    @Test("Across sections that are neighbours in the host")
    func acrossSections() throws {
        // 0xb_ffff is RAM, what follows is the same block write-protected.
        #expect(try memory.read(4, at: 0xb_fffe) == [0, 0, 0, 0])
        #expect(code { try memory.write([7, 7, 7, 7], at: 0xb_fffe) } == .outsideMemory)
        #expect(try memory.read(4, at: 0xb_fffe) == [0, 0, 0, 0], "nothing of it was written")
    }

    @Test(
        "Holes, devices, ROM and the end of RAM are refused",
        arguments: [
            (0x40_0000, 1, true), (0x3f_ffff, 2, true), (0xb000_0000, 4, true), (0xffff_0000, 4, false),
            (0xffff_ffff_ffff_ffff, 2, true),
        ] as [(GuestPhysicalAddress, Int, Bool)])
    func refused(_ address: GuestPhysicalAddress, _ byteCount: Int, _ isUnreadable: Bool) {
        #expect(
            code { try memory.write([UInt8](repeating: 1, count: byteCount), at: address) } == .outsideMemory)
        #expect(code { _ = try memory.read(byteCount, at: address) } == (isUnreadable ? .outsideMemory : nil))
    }
}
