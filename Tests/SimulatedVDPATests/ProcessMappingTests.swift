import SimulatedVDPA
import Testing

@Suite("Lines of /proc/self/maps")
struct ProcessMappingTests {
    @Test("Bounds and rights of each line; what is no line is skipped")
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
}
