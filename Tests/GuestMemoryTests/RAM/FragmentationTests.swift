import Foundation
import Testing

@testable import GuestMemory

@Suite("Memory in single pages")
struct FragmentationTests {
    @Test("is resident and zeroed, beyond the pages that are held beside it", arguments: [1, 65, 130])
    func resident(mebibytes: Int) throws {
        let block = try RAMBlock.allocate(name: "fragmented", byteCount: .mebibytes(mebibytes))
        try block.prefaultFragmented()
        #expect(block.allocatedByteCount == block.byteCount)
        let last = unsafe block.base.load(fromByteOffset: Int(block.byteCount.rawValue) - 1, as: UInt8.self)
        #expect(last == 0)
    }

    @Test("is left as far as it is when somebody asks to end")
    func cancelled() throws {
        let block = try RAMBlock.allocate(name: "fragmented", byteCount: .mebibytes(8))
        var asked = 0
        let error = #expect(throws: GuestMemoryError.self) {
            try block.prefaultFragmented(isCancelled: {
                asked += 1
                return asked > 100
            })
        }
        #expect(error?.code == .cancelled)
        #expect(block.allocatedByteCount > .zero && block.allocatedByteCount < .mebibytes(1))
    }

    @Test("keeps what it holds")
    func contents() throws {
        let block = try RAMBlock.allocate(name: "fragmented", byteCount: .mebibytes(1))
        unsafe block.base.storeBytes(of: 0x5a, toByteOffset: 0x3000, as: UInt8.self)
        try block.prefaultFragmented()
        #expect(unsafe block.base.load(fromByteOffset: 0x3000, as: UInt8.self) == 0x5a)
    }
}

@Suite("A machine without firmware")
struct FlatMemoryTests {
    @Test("has its memory in one section from address zero on", arguments: [64, 4096])
    func oneSection(mebibytes: Int) throws {
        let memory = try PCMemoryLayout(memory: .mebibytes(mebibytes), hasFirmware: false)
        let sections = memory.addressSpace.view.sections
        #expect(sections.count == 1)
        #expect(sections.first?.range.first == GuestPhysicalAddress(rawValue: 0))
        #expect(sections.first?.range.byteCount == .mebibytes(mebibytes))
        #expect(sections.first?.isReadOnly == false)
    }
}
