import Glibc
import SimulatedVDPA
import Testing

@Suite("The memory areas of a process")
struct ProcessMappingTests {
    @Test("Bounds and rights of each line of /proc/self/maps; what is no line is skipped")
    func parse() {
        let text = """
            7f0000001000-7f0000003000 rw-s 00000000 00:01 2048 /memfd:ram (deleted)
            not a line
            7f0000003000-7f0000004000 ---p 00000000 00:00 0
            7f0000004000-7f0000004000 rw-p 00000000 00:00 0
            7f00000040000000000-7f1 rw-p

            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
            """
        let areas = ProcessMapping.parse(Array(text.utf8))
        #expect(areas.map(\.start) == [0x7f00_0000_1000, 0x7f00_0000_3000, 0xffff_ffff_ff60_0000])
        #expect(areas.map(\.end) == [0x7f00_0000_3000, 0x7f00_0000_4000, 0xffff_ffff_ff60_1000])
        #expect(areas.map(\.isReadable) == [true, false, false])
        #expect(areas.map(\.isWritable) == [true, false, false])
        #expect(areas.map(\.isShared) == [true, false, false])
    }

    @Test("The kernel asked for the areas of a range says what their lines say")
    func queried() throws {
        let page = Memory.pageSize
        let shared = Memory(pages: 5)
        let middle = unsafe UnsafeMutableRawPointer(bitPattern: shared.address + UInt(2 * page))
        #expect(unsafe mprotect(middle, page, PROT_READ) == 0)
        for memory in [shared, Memory(pages: 3, kind: .privateAnonymous)] {
            let range = UInt64(memory.address)..<UInt64(memory.address) + UInt64(memory.byteCount)
            // Linux before 6.11 cannot be asked.
            guard let asked = try ProcessMappings.queried(range) else { return }
            let lines = try ProcessMappings.read().areas.filter {
                $0.end > range.lowerBound && $0.start < range.upperBound
            }
            #expect(asked.areas.filter { $0.start < range.upperBound } == lines)
            #expect(lines.count == (memory === shared ? 3 : 1))
        }
    }

    @Test("In a hole the next area above is found, above all memory none: no vsyscall page")
    func holes() throws {
        let memory = Memory(pages: 3)
        memory.forbidPages(from: 2)
        let last = UInt64(memory.address) + UInt64(2 * Memory.pageSize)
        for mappings in [try ProcessMappings.current(0..<last), try ProcessMappings.read()] {
            let lowest = try #require(mappings.firstArea(endingAbove: 0))
            #expect(lowest.start > 0)
            #expect(mappings.firstArea(endingAbove: last - 1)?.end == last)
        }
        let above = UInt64(0xffff_ffff_ff50_0000)
        #expect(try ProcessMappings.current(above..<UInt64.max).firstArea(endingAbove: above) == nil)
        #expect(try ProcessMappings.read().firstArea(endingAbove: above) == nil)
    }
}
