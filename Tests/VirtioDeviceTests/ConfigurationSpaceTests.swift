import Testing
import VirtioDevice

@Suite("A configuration space")
struct ConfigurationSpaceTests {
    private let space = ConfigurationSpace([1, 2, 3, 4])

    @Test("is read in whole pieces, and not at all where a piece is not all there")
    func read() {
        #expect(space.read(at: 0, count: 4) == [1, 2, 3, 4])
        #expect(space.read(at: 3, count: 1) == [4])
        #expect(space.read(at: 4, count: 0) == [])
        for (offset, count) in [(3, 2), (5, 0), (-1, 1), (0, -1), (Int.max, Int.max)] {
            #expect(space.read(at: offset, count: count) == [], "\(count) from \(offset)")
        }
    }

    @Test("is written in whole pieces, and not at all where one reaches over the end")
    func write() {
        space.write([8, 9], at: 1)
        #expect(space.read(at: 0, count: 4) == [1, 8, 9, 4])
        for (bytes, offset) in [([5, 6], 3), ([5], 4), ([5], -1), ([5], Int.max)] as [([UInt8], Int)] {
            space.write(bytes, at: offset)
            #expect(space.read(at: 0, count: 4) == [1, 8, 9, 4], "\(bytes) at \(offset)")
        }
    }
}
